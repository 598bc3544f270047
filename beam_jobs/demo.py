"""Scores the bundled sample reviews and prints what came out: `python -m beam_jobs.demo`."""

import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from beam_jobs.score_reviews import main as score_reviews

SAMPLES = Path(__file__).with_name("samples") / "reviews.jsonl"
OUTPUT = "demo-output"
HEADING = f"{'id':<10} {'label':<9} {'probability':>11}  text"


def main() -> int:
    """Runs the job on the samples, writing to `demo-output`; returns its exit code."""
    arguments = ["--input", str(SAMPLES), "--output", OUTPUT, "--overwrite"]
    code = score_reviews([*arguments, "--id_field", "review_id", "--keep_fields", "text"])
    if code == 0:
        print(f"\n{table(OUTPUT)}")
    return code


def table(prefix: str) -> str:
    """The scores of a JSONL run, a line each: id, label, probability, the first words."""
    rows = [
        json.loads(line)
        for path in Path(prefix, "scores").glob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    ]
    return "\n".join([HEADING, *sorted(map(table_line, rows))])


def table_line(row: Mapping[str, Any]) -> str:
    """A score whose text was kept, as a line under `HEADING`."""
    words = textwrap.shorten(row["text"], 50, placeholder=" ...")
    probability = row["positive_probability"]
    return f"{row['review_id']:<10} {row['label']:<9} {probability:>11.3f}  {words}"


if __name__ == "__main__":
    sys.exit(main())
