"""A large dump of short reviews through the job."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.endurance.ledger import read_ledger
from benchmarks.endurance.reviews import write_dump
from benchmarks.endurance.samples import SampleLog
from benchmarks.endurance.watched_job import COMMAND, running


def score_dump(
    count: int, words: Sequence[str], output: Path, samples: SampleLog
) -> dict[str, Any]:
    """Writes a dump, scores it, and looks for every record among the rows.

    Args:
        count: number of records.
        words: phrases to make reviews of.
        output: folder for the dump and the run.
        samples: takes what the job uses.

    Returns:
        `published`, the counts of the manifest, and the `Losses` of the files.
    """
    write_dump(output / "reviews", count, words)
    prefix = output / "run"
    arguments = ["--input", f"{output}/reviews/*", "--output", str(prefix), "--id_field", "id"]
    arguments += ["--output_format", "jsonl", "--overwrite"]
    with running([*COMMAND, *arguments], output / "job.log") as job:
        samples.take_while(lambda: True, job)
        code = job.wait()
    if code:
        return {"published": count, "exit_code": code}
    counts = json.loads((prefix / "manifest.json").read_text("utf-8"))["counts"]
    losses = read_ledger(prefix, count).losses()
    return {"published": count, "exit_code": code, "counts": counts, "files": losses._asdict()}
