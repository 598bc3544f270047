"""What can go wrong with a disk."""

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


class Harm(NamedTuple):
    """What goes wrong.

    Attributes:
        do: given the output prefix, which is on a disk of its own.
        undo: given the same.
        output_format: of the run.
    """

    do: Callable[[Path], None]
    undo: Callable[[Path], None]
    output_format: str


def fill(prefix: Path) -> None:
    with suppress(OSError), (prefix.parent / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4096))


def unfill(prefix: Path) -> None:
    (prefix.parent / "ballast").unlink()


def remount(options: str) -> Callable[[Path], None]:
    return lambda prefix: mount("-o", f"remount,{options}", str(prefix.parent))


def nothing(prefix: Path) -> None:
    """What was deleted needs no undoing."""


HARMS = {
    "full": Harm(fill, unfill, "jsonl"),
    "full, in columns": Harm(fill, unfill, "parquet"),
    "read-only": Harm(remount("ro"), remount("rw"), "avro"),
    "removed": Harm(shutil.rmtree, nothing, "jsonl.gz"),
}


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
