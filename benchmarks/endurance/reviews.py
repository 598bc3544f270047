"""As many short reviews as are wanted, made of the phrases of real ones, and bad records."""

import gzip
import json
import random
import re
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from benchmarks.movie_reviews import reviews

BAD_EVERY = 100
"""One record of so many can't be scored."""

FILES, GZIPPED = 8, 2
"""Files of a dump, and how many of them are compressed."""

_BAD: tuple[dict[str, object], ...] = ({"text": ""}, {"text": 7}, {"body": "Nice."})
_BETWEEN_PHRASES = re.compile(r" [.,;:()-]+ ?")


def phrases(shipped: Path) -> list[str]:
    """Phrases of 2 to 12 words from the short reviews of the package `movie-reviews`.

    Args:
        shipped: its CSV.
    """
    texts = (row["text"] for row in reviews(shipped) if row["source"] == "rotten_tomatoes")
    found = (phrase.strip() for text in texts for phrase in _BETWEEN_PHRASES.split(text))
    return [phrase for phrase in found if 2 <= len(phrase.split()) <= 12]


def record(number: int, words: Sequence[str]) -> str:
    """The record of a number, a JSON object with the number as its id; always the same.

    Args:
        number: from 0.
        words: phrases to make the review of.
    """
    chance = random.Random(number)
    if is_bad(number):
        return json.dumps({"id": str(number), **chance.choice(_BAD)})
    text = ", ".join(chance.choices(words, k=chance.randint(1, 2)))
    return json.dumps({"id": str(number), "text": text})


def is_bad(number: int) -> bool:
    """Whether the record of a number must be rejected rather than scored."""
    return number % BAD_EVERY == BAD_EVERY - 1


def write_dump(folder: Path, count: int, words: Sequence[str]) -> None:
    """Writes records to files, a few of which are compressed.

    Args:
        folder: for the files; made if it isn't there.
        count: number of records.
        words: as for `record`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for file in range(FILES):
        numbers = range(count * file // FILES, count * (file + 1) // FILES)
        suffix = ".jsonl.gz" if file < GZIPPED else ".jsonl"
        with _create(folder / f"reviews-{file}{suffix}") as out:
            out.writelines(f"{record(number, words)}\n" for number in numbers)


def _create(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "wt", encoding="utf-8")
    return path.open("w", encoding="utf-8")
