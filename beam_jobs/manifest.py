"""The manifest: what a run read, scored, rejected and wrote; written last."""

import json
import logging
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import apache_beam as beam
from apache_beam.io.filesystems import FileSystems

from beam_jobs.whole_files import write_whole
from schemas.score import LABELS

FILE_NAME = "manifest.json"

_LOG = logging.getLogger(__name__)

_DECISIVE = ("inputs", "model", "options", "versions")
"""What the rows of a run depend on."""

_STATUSES = ("complete", "too_many_rejected")


@dataclass(frozen=True)
class RunFacts:
    """What is known of a run before it starts.

    Attributes:
        inputs: patterns, number of files, their size in bytes, and a digest of their listing.
        model: directory, identity (name and beginning of the fingerprint) and SHA-256.
        options: what the user asked for.
        versions: of the packages that decide what the rows say.
        max_rejected_share: 0..1, the limit above which a run has failed.
        started_at: seconds since the epoch.
    """

    inputs: Mapping[str, Any]
    model: Mapping[str, str]
    options: Mapping[str, Any]
    versions: Mapping[str, str]
    max_rejected_share: float
    started_at: float


class UnbalancedError(Exception):
    """Reviews were lost or doubled: scored + rejected isn't read."""


def manifest(
    facts: RunFacts,
    read: int,
    labels: Mapping[str, int],
    reasons: Mapping[str, int],
    files: Mapping[str, Iterable[str]],
    finished_at: float,
) -> dict[str, Any]:
    """The manifest of a run.

    Args:
        facts: what was known before.
        read: number of records that the sources yielded.
        labels: number of scores written, by label.
        reasons: number of rejections written, by reason.
        files: paths written, by kind of row.
        finished_at: seconds since the epoch.

    Raises:
        UnbalancedError: scored + rejected isn't read.
    """
    scored, rejected = sum(labels.values()), sum(reasons.values())
    if scored + rejected != read:
        raise UnbalancedError(
            f"{read} records were read, but {scored} were scored and {rejected} rejected; "
            "no manifest is written"
        )
    within_limit = rejected <= facts.max_rejected_share * read
    seconds = max(finished_at - facts.started_at, 1e-3)
    return {
        "manifest_version": 1,
        "status": "complete" if within_limit else "too_many_rejected",
        "counts": {"read": read, "scored": scored, "rejected": rejected},
        "labels": {label: labels.get(label, 0) for label in LABELS},
        "rejections": dict(sorted(reasons.items())),
        "files": {kind: sorted(paths) for kind, paths in files.items()},
        **asdict(facts),
        "started_at": _rfc3339(facts.started_at),
        "finished_at": _rfc3339(finished_at),
        "seconds": round(seconds, 3),
        "reviews_per_second": round(scored / seconds, 1),
    }


def _rfc3339(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


@dataclass
class WriteManifest(beam.PTransform):
    """Writes the manifest once every file of the run has its final name.

    Takes PCollections by name: `read`, one count; `listed`, one description of the input files;
    `labels` and `reasons`, pairs of name and number; `scores` and `rejected`, paths. Gives the
    path of the manifest.

    Attributes:
        prefix: the output prefix.
        facts: what was known before the run.
    """

    prefix: str
    facts: RunFacts

    def expand(self, written: dict[str, beam.PCollection]) -> beam.PCollection:
        return (
            written["read"].pipeline
            | "Once" >> beam.Create([self.prefix])
            | "WriteManifest"
            >> beam.Map(
                _write_manifest,
                self.facts,
                beam.pvalue.AsSingleton(written["listed"]),
                beam.pvalue.AsSingleton(written["read"]),
                beam.pvalue.AsDict(written["labels"]),
                beam.pvalue.AsDict(written["reasons"]),
                beam.pvalue.AsList(written["scores"]),
                beam.pvalue.AsList(written["rejected"]),
            )
        )


def _write_manifest(
    prefix: str,
    facts: RunFacts,
    listed: Mapping[str, Any],
    read: int,
    labels: Mapping[str, int],
    reasons: Mapping[str, int],
    scores: list[str],
    rejected: list[str],
) -> str:
    files = {"scores": scores, "rejected": rejected}
    content = manifest(_as_read(facts, listed), read, labels, reasons, files, time.time())
    _check_there(prefix, [*scores, *rejected])
    path = f"{prefix}/{FILE_NAME}"
    write_whole(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    return path


def _as_read(facts: RunFacts, listed: Mapping[str, Any]) -> RunFacts:
    """The facts with the input files that were there when they were read."""
    inputs = {**facts.inputs, **listed}
    if inputs != facts.inputs:
        _LOG.warning(
            "input files changed after the launch: there were %d with %d bytes, and %d with %d "
            "bytes were read; the manifest tells of these",
            facts.inputs["files"],
            facts.inputs["bytes"],
            inputs["files"],
            inputs["bytes"],
        )
    return replace(facts, inputs=inputs)


def _check_there(prefix: str, paths: Iterable[str]) -> None:
    """Makes sure that nobody has deleted what a manifest is to name."""
    there = {file.path for file in FileSystems.match([f"{prefix}/**"])[0].metadata_list}
    for path in paths:
        if path not in there:
            raise FileNotFoundError(f"{path} was deleted during the run; no manifest is written")


def read_manifest(prefix: str) -> dict[str, Any]:
    """The manifest of the run under an output prefix.

    Raises:
        FileNotFoundError: there is none.
    """
    path = f"{prefix}/{FILE_NAME}"
    if not FileSystems.exists(path):
        raise FileNotFoundError(f"there is no {path}: the job ended without writing it")
    with FileSystems.open(path) as file:
        return json.loads(file.read())


def unchanged_run(prefix: str, facts: RunFacts) -> dict[str, Any]:
    """The manifest of a finished run, if running again would give the same rows.

    Args:
        prefix: the output prefix.
        facts: of the run that would be.

    Returns:
        The manifest; empty if there is none, or input, model, options or versions are other ones.
    """
    try:
        found = read_manifest(prefix)
    except (FileNotFoundError, ValueError, RecursionError):
        return {}
    if not isinstance(found, dict) or found.get("status") not in _STATUSES:
        return {}
    same = all(found.get(key) == getattr(facts, key) for key in _DECISIVE)
    return found if same else {}
