"""The summary of a run, made from its manifest."""

from collections.abc import Mapping
from typing import Any


def summary(manifest: Mapping[str, Any], prefix: str) -> str:
    """What a person wants to know of a run, in a few lines.

    Args:
        manifest: see `beam_jobs.manifest.manifest`.
        prefix: the output prefix.
    """
    counts = manifest["counts"]
    lines = [
        f"read      {counts['read']:>12,}  from {_files(manifest['inputs'])}",
        f"scored    {counts['scored']:>12,}  {_parts(manifest['labels'])}".rstrip(),
        f"rejected  {counts['rejected']:>12,}  {_parts(manifest['rejections'])}".rstrip(),
        f"time      {manifest['seconds']:>12,.1f}  seconds, "
        f"{manifest['reviews_per_second']:,.0f} reviews/s",
        f"model     {manifest['model']['identity']}",
        f"output    {prefix}",
    ]
    return "\n".join(lines)


def too_many_rejected(manifest: Mapping[str, Any], prefix: str) -> str:
    """The line that says why a run with too many rejections has failed."""
    counts = manifest["counts"]
    share = counts["rejected"] / counts["read"]
    limit = manifest["max_rejected_share"]
    return (
        f"{counts['rejected']:,} of {counts['read']:,} records were rejected, {share:.1%}, more "
        f"than --max_rejected_share {limit:g} allows: see {prefix}/rejected"
    )


def _files(inputs: Mapping[str, Any]) -> str:
    noun = "file" if inputs["files"] == 1 else "files"
    size, unit = inputs["bytes"] / 1e6, "MB"
    if size < 1:
        size, unit = size * 1e3, "kB"
    return f"{inputs['files']:,} {noun}, {size:,.1f} {unit}"


def _parts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())
