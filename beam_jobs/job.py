"""What a run is, settled and checked before anything runs."""

import importlib.metadata
import importlib.util
import time
from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from apache_beam.io.filesystem import FileMetadata

from beam_jobs.dataflow.accelerators import resource_hints, warn_of_waste
from beam_jobs.fields import described_fields, review_fields
from beam_jobs.formats import format_of
from beam_jobs.manifest import RunFacts
from beam_jobs.model_files import model_at_hand
from beam_jobs.models import ModelVersion
from beam_jobs.output import check_output, check_writable
from beam_jobs.sources import listed, match_files
from beam_jobs.streaming_options import STREAMING_OPTIONS
from model.card import BUNDLED_MODEL, read_card, threshold_of
from model.fingerprint import check_sha256, fingerprint, model_identity
from model.tfx import StringSignature, string_signature
from schemas.errors import UserError
from schemas.review import ReviewFields

_VERSIONED = ("review-scoring", "apache-beam", "tensorflow", "tensorflow-text")

_NOT_OF_THE_ROWS = STREAMING_OPTIONS | {
    "quiet",
    "log_format",
    "overwrite",
    "skip_unchanged",
    "date",
    "days",
    "dry_run",
    "worker_price",
    "accelerator_price",
    "model_sha256",
    "tokens_per_second",
}
"""Options that a manifest doesn't name: no row depends on them."""


@dataclass(frozen=True)
class Model:
    """The model of a run.

    Attributes:
        directory: the SavedModel.
        identity: how rows name it, as `name@fingerprint`.
        sha256: its fingerprint, 64 hex digits.
        threshold: the least probability that it labels positive, from its card.
        max_batch_tokens: most tokens of a batch, padding included.
        precision: one of `model.runtime.PRECISIONS`.
        tfx_signature: what tfx-bsl is to call; None where the job tokenizes for the model.
        watch: directories of models, the newest good one of which is used instead; empty for none.
        watch_interval_seconds: time between two looks.
        max_batch_wait_seconds: longest time a review waits for others; 0 where batches are made
            of what a bundle holds.
        deduplicate_seconds: how long an id is remembered; 0 for not at all.
        deduplicate_buckets: number of states that ids are remembered in.
        resource_hints: what a worker needs to compute, for Beam's `with_resource_hints`.
    """

    directory: str
    identity: str
    sha256: str
    threshold: float
    max_batch_tokens: int
    precision: str
    tfx_signature: StringSignature | None
    watch: str = ""
    watch_interval_seconds: float = 60.0
    max_batch_wait_seconds: float = 0.0
    deduplicate_seconds: int = 0
    deduplicate_buckets: int = 1
    resource_hints: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> ModelVersion:
        """What workers are to load."""
        return ModelVersion(self.directory, self.identity, self.sha256, self.threshold)


@dataclass(frozen=True)
class Job:
    """A run, every part of it checked.

    Attributes:
        patterns: what to read.
        input_format: name of the format; empty where the name of each file tells.
        fields: which fields make a review.
        model: what scores it.
        prefix: where the rows go, without a slash at its end.
        output_format: how they are written.
        facts: what the manifest says of the run.
    """

    patterns: Sequence[str]
    input_format: str
    fields: ReviewFields
    model: Model
    prefix: str
    output_format: str
    facts: RunFacts


def prepare(options: Namespace) -> Job:
    """Settles a run from checked options.

    Raises:
        UserError: an input, a field, the model or the output is not as it must be.
    """
    files = match_files(options.input)
    for path in files:
        format_of(path, options.input_format)  # of empty files too, which nobody else looks at
    filled = [path for path, file in files.items() if file.size_in_bytes]
    fields = review_fields(options, described_fields(filled, options.input_format))
    replace = options.overwrite or options.skip_unchanged
    prefix = check_output(options.output.rstrip("/"), list(files), replace)
    if not options.dry_run:
        check_writable(prefix)
    model = chosen_model(options)
    return Job(
        patterns=tuple(options.input),
        input_format=options.input_format,
        fields=fields,
        model=model,
        prefix=prefix,
        output_format=options.output_format,
        facts=_facts(options, files, model),
    )


def chosen_model(options: Namespace) -> Model:
    """The model that checked options name.

    Raises:
        UserError: it is not as it must be, or can't be had.
    """
    directory = options.model or BUNDLED_MODEL
    try:
        with model_at_hand(directory) as path:
            if options.model_sha256:
                check_sha256(path, options.model_sha256)
            if options.engine == "tfx_bsl":
                name, tfx_signature = Path(directory).name, _tfx_signature(options, path)
                threshold = threshold_of(path)
            else:
                card = read_card(path)
                name, tfx_signature, threshold = card.name, None, card.threshold
                warn_of_waste(options, card.raw)
            sha256 = options.model_sha256 or fingerprint(path)
    except OSError as error:
        raise UserError(f"--model {directory} can't be read: {error}") from error
    return Model(
        directory=directory,
        identity=model_identity(name, sha256),
        sha256=sha256,
        threshold=threshold,
        max_batch_tokens=options.max_batch_tokens,
        precision=options.precision,
        tfx_signature=tfx_signature,
        resource_hints=resource_hints(options),
    )


def _tfx_signature(options: Namespace, path: Path) -> StringSignature:
    if importlib.util.find_spec("tfx_bsl") is None:
        raise UserError(
            "--engine tfx_bsl needs the package tfx-bsl, which is not installed; "
            "it can't be on Linux on arm64 and on Python 3.10"
        )
    return string_signature(
        str(path), options.signature, options.example_feature, options.positive_output
    )


def _facts(options: Namespace, files: Mapping[str, FileMetadata], model: Model) -> RunFacts:
    return RunFacts(
        inputs={"patterns": list(options.input), **listed(files)},
        model={
            "directory": model.directory,
            "identity": model.identity,
            "sha256": model.sha256,
        },
        options={
            name: value
            for name, value in vars(options).items()
            if value is not None and name not in _NOT_OF_THE_ROWS
        },
        versions={package: importlib.metadata.version(package) for package in _VERSIONED},
        max_rejected_share=options.max_rejected_share,
        started_at=time.time(),
    )
