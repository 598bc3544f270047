"""How tests launch jobs on Dataflow, and what they find of them."""

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from apache_beam.portability.api import beam_runner_api_pb2 as proto
from google.cloud.storage import Bucket

from tests.dataflow_service import DataflowService
from tests.gcs.server import PROJECT

ROOT = Path(__file__).parents[2]
IMAGE = "europe-docker.pkg.dev/project/images/score-reviews:1"
SECRET = "review-text-that-is-nobodys-business"
REVIEWS = f'{{"id": "a", "text": "{SECRET} Wonderful, a wonderful film."}}\n' + (
    '{"id": "b", "text": "Awful. Dull and badly acted."}\n'
)


class Launch(NamedTuple):
    """Where a test launches jobs.

    Attributes:
        service: takes them.
        bucket: holds reviews/a.jsonl, and what comes of it.
        credentials: the file with the launcher's key.
    """

    service: DataflowService
    bucket: Bucket
    credentials: Path

    def url(self, path: str) -> str:
        return f"gs://{self.bucket.name}/{path}"

    def arguments(self, *more: str) -> list[str]:
        """What every launch says."""
        return [
            "--runner=DataflowRunner",
            f"--dataflow_endpoint={self.service.endpoint}",
            f"--project={PROJECT}",
            "--region=europe-west4",
            f"--temp_location={self.url('temp')}",
            "--quiet",
            *more,
        ]

    def files(self, *more: str) -> list[str]:
        """What a launch over files says."""
        files = ["--input", self.url("reviews/*"), "--output", self.url("out"), "--id_field=id"]
        return self.arguments(*files, *more)

    def staged(self) -> dict[str, bytes]:
        """Content of all objects but reviews and results, by name."""
        return {
            blob.name: blob.download_as_bytes() for blob in self.bucket.list_blobs(prefix="temp/")
        }

    def staged_file(self, name: str) -> bytes:
        (content,) = (data for path, data in self.staged().items() if path.endswith(f"/{name}"))
        return content

    def pipeline(self) -> proto.Pipeline:
        return proto.Pipeline.FromString(self.staged_file("pipeline.pb"))

    def job(self) -> dict[str, Any]:
        (job,) = self.service.jobs
        return job

    def pool(self) -> dict[str, Any]:
        (pool,) = self.job()["environment"]["workerPools"]
        assert isinstance(pool, dict)
        return pool


def hints_by_step(pipeline: proto.Pipeline) -> dict[str, dict[str, str]]:
    """The resource hints of each step that runs on workers and has some."""
    hints = {
        name: {urn: value.decode() for urn, value in environment.resource_hints.items()}
        for name, environment in pipeline.components.environments.items()
    }
    return {
        transform.unique_name: hints[transform.environment_id]
        for transform in pipeline.components.transforms.values()
        if not transform.subtransforms and hints.get(transform.environment_id)
    }


def step_names(pipeline: proto.Pipeline) -> set[str]:
    transforms = pipeline.components.transforms.values()
    return {transform.unique_name for transform in transforms if not transform.subtransforms}


def images(pipeline: proto.Pipeline) -> list[str]:
    """The container image of each environment."""
    return [
        proto.DockerPayload.FromString(environment.payload).container_image
        for environment in pipeline.components.environments.values()
    ]


def worker(launch: Launch, folder: Path) -> str:
    """Runs what is staged with the package that is staged; gives what the worker prints."""
    for name in ("workflow.tar.gz", "pipeline.pb"):
        (folder / name).write_bytes(launch.staged_file(name))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    target = folder / "installed"
    subprocess.run([*pip, "--target", target, folder / "workflow.tar.gz"], check=True)
    script = ROOT / "tests" / "staged_worker.py"
    arguments = [str(target), str(folder / "pipeline.pb"), str(ROOT)]
    run = subprocess.run(
        [sys.executable, "-c", script.read_text("utf-8"), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return run.stdout
