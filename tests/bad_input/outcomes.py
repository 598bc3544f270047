"""What a run over bad input is to leave behind, and what it has left."""

import base64
import contextlib
import io
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from beam_jobs.score_reviews import main
from schemas.rejection import PAYLOAD_LIMIT_BYTES

Row = Mapping[str, Any]


class Run(NamedTuple):
    """What a run has left behind.

    Attributes:
        manifest: see README.
        ids: of the scored reviews.
        rejected: rejection rows by source and position.
    """

    manifest: Mapping[str, Any]
    ids: Counter[str]
    rejected: Mapping[tuple[str, str], Row]

    @property
    def reasons(self) -> dict[tuple[str, str], str]:
        """Reason of each rejection by source and position."""
        return {place: row["reason"] for place, row in self.rejected.items()}


def run(inputs: Sequence[str], prefix: Path, *arguments: str) -> Run:
    """Scores inputs in this process; nothing is an error, however many records are rejected."""
    call = ["--input", *inputs, "--output", str(prefix), "--quiet", "--max_rejected_share", "1"]
    with contextlib.redirect_stderr(io.StringIO()) as errors:
        code = main([*call, *arguments])
    assert (code, errors.getvalue()) == (0, "")
    return left_in(prefix)


def left_in(prefix: Path) -> Run:
    """What a run has left behind; its sums hold."""
    manifest = json.loads((prefix / "manifest.json").read_text("utf-8"))
    scores = [row["review_id"] for row in _rows(manifest["files"]["scores"])]
    rejections = list(_rows(manifest["files"]["rejected"]))
    by_place = {(row["source"], row["position"]): row for row in rejections}
    counts = {"scored": len(scores), "rejected": len(rejections)}
    assert len(by_place) == len(rejections)
    assert manifest["counts"] == {"read": len(scores) + len(rejections), **counts}
    return Run(manifest, Counter(scores), by_place)


def _rows(paths: Iterable[str]) -> Iterable[Row]:
    for path in paths:
        with Path(path).open(encoding="utf-8", newline="\n") as file:
            yield from map(json.loads, file)


def holds(row: Row, data: bytes | Mapping[str, Any]) -> bool:
    """Whether a rejection holds a record, or as much of it as it may."""
    found = row["payload"].encode()
    if row["payload_encoding"] == "base64":
        found = base64.b64decode(row["payload"])
    if isinstance(data, bytes):
        whole = row["payload_bytes"] == len(data)
        least = min(len(data), PAYLOAD_LIMIT_BYTES - 3)  # the cap may fall within a character
        return whole and data.startswith(found) and least <= len(found) <= PAYLOAD_LIMIT_BYTES
    if row["payload_bytes"] > PAYLOAD_LIMIT_BYTES:
        return len(found) == PAYLOAD_LIMIT_BYTES
    values = json.loads(found.decode("utf-8", "surrogateescape"))
    return _present(values) == _present(data)


def _present(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields that aren't null, bytes as text."""
    return {name: _text(value) for name, value in values.items() if value not in (None, [])}


def _text(value: Any) -> Any:
    if isinstance(value, list):
        return [_text(one) for one in value]
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value
