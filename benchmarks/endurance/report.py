"""What a long run has shown, for programs and for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.endurance import flatness
from benchmarks.endurance.flatness import (
    DESCRIPTOR_GROWTH,
    MEMORY_GROWTH,
    SLOWDOWN,
    THREAD_GROWTH,
    Part,
    Trend,
)
from benchmarks.endurance.watched_job import Sample

_COLUMNS = ("minutes", "memory MB", "files", "threads", "reviews/s", "CPU ms/review", "delay ms")


def with_trend(outcome: Mapping[str, Any], samples: Sequence[Sample]) -> dict[str, Any]:
    """An outcome with what its job used; without that where the run was too short to tell."""
    working = flatness.at_work(samples)
    judged = flatness.after_warm_up(working)
    if len(judged) <= flatness.PARTS:
        return {**outcome, "parts": []}
    parts = flatness.parts(judged, working[0].seconds)
    trend = flatness.trend(judged, parts)
    return {**outcome, "parts": [part._asdict() for part in parts], "trend": trend._asdict()}


def losses(report: Mapping[str, Any]) -> list[str]:
    """What was lost on the way; nothing if all is well."""
    if report["exit_code"]:
        return [f"the job ended with exit code {report['exit_code']}: see job.log"]
    counts, published = report["counts"], report["published"]
    out = sum(counts.values()) - counts["read"]
    found = []
    if not published == counts["read"] == out:
        found.append(f"{published:,} published, {counts['read']:,} read, {out:,} came out")
    for place, of_place in (("files", report["files"]), ("topics", report.get("topics", {}))):
        # Pub/Sub may deliver a message again.
        wrong = {k: n for k, n in of_place.items() if n and (place, k) != ("topics", "repeated")}
        found += [f"{place}: {number:,} records {kind}" for kind, number in wrong.items()]
    return found


def leaks(report: Mapping[str, Any]) -> list[str]:
    """What has not stayed the same; nothing if all is well."""
    if "trend" not in report:
        return ["the run was too short to tell whether anything leaks"]
    trend = Trend(**report["trend"])
    found = []
    if not trend.memory <= MEMORY_GROWTH:
        found.append(f"memory rose by {trend.memory:.0%}, more than {MEMORY_GROWTH:.0%}")
    if not trend.descriptors <= DESCRIPTOR_GROWTH:
        found.append(
            f"descriptors rose by {trend.descriptors:.1f}, more than {DESCRIPTOR_GROWTH:g}"
        )
    if not trend.threads <= THREAD_GROWTH:
        found.append(f"threads rose by {trend.threads:.1f}, more than {THREAD_GROWTH:g}")
    if not trend.slowdown <= SLOWDOWN:
        found.append(f"a review took {trend.slowdown:.2f} times as long, more than {SLOWDOWN:g}")
    return found


def table(report: Mapping[str, Any]) -> str:
    """The report for people: a part of the run each line, then the counts."""
    lines = ["  ".join(_COLUMNS)]
    for part in (Part(**fields) for fields in report["parts"]):
        cells = [f"{part.minutes:.1f}", f"{part.memory_mb:,.0f}"]
        cells += [f"{part.descriptors}", f"{part.threads}"]
        cells += [f"{part.reviews_per_second:,.1f}", f"{part.cpu_ms_per_review:.3f}"]
        cells += [f"{part.delay_ms:,.0f}" if part.delay_ms else "-"]
        columns = zip(cells, _COLUMNS, strict=True)
        lines.append("  ".join(f"{cell:>{len(name)}}" for cell, name in columns))
    counts = {"published": report["published"], **report.get("counts", {})}
    return "\n".join([*lines, ", ".join(f"{name} {number:,}" for name, number in counts.items())])


def changes(report: Mapping[str, Any]) -> list[str]:
    """How its use has changed, for people; nothing where the run was too short to tell."""
    if "trend" not in report:
        return []
    found = Trend(**report["trend"])
    return [
        f"memory {_signed(found.memory_mb_per_hour)} MB an hour, "
        f"{_signed(found.memory_mb_per_million)} MB a million reviews",
        f"descriptors {_signed(found.descriptors)}, threads {_signed(found.threads)}",
        f"time of a review in the last part, over the second: {found.slowdown:.2f}",
    ]


def _signed(number: float) -> str:
    return f"{round(number, 1) + 0.0:+,.1f}"  # + 0.0, since there is a zero with a minus
