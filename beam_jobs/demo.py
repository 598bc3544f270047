"""Scores the bundled sample reviews and prints what came out: `python -m beam_jobs.demo`."""

import json
import sys
import textwrap
from pathlib import Path

from beam_jobs.score_reviews import main as score_reviews

SAMPLES = Path(__file__).with_name("samples") / "reviews.jsonl"
OUTPUT = "demo-output"


def main() -> int:
    """Runs the job on the samples, writing to `demo-output`; returns its exit code."""
    arguments = ["--input", str(SAMPLES), "--output", OUTPUT, "--overwrite"]
    code = score_reviews([*arguments, "--id_field", "review_id", "--keep_fields", "text"])
    if code == 0:
        print(f"\n{table(OUTPUT)}")
    return code


def table(prefix: str) -> str:
    """The scores of a JSONL run, a line each: id, label, probability, the first words."""
    lines = [f"{'id':<10} {'label':<9} {'probability':>11}  text"]
    for path in sorted(Path(prefix, "scores").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            words = textwrap.shorten(row["text"], 50, placeholder=" ...")
            probability = row["positive_probability"]
            lines.append(f"{row['review_id']:<10} {row['label']:<9} {probability:>11.3f}  {words}")
    return "\n".join([lines[0], *sorted(lines[1:])])


if __name__ == "__main__":
    sys.exit(main())
