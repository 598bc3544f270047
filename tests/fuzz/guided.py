"""One target under atheris: python -m tests.fuzz.guided TARGET FINDS FLAG... CORPUS SEEDS."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import atheris

from tests.fuzz.modules import target


def main() -> None:
    """Fuzzes until a limit is reached; libFuzzer ends the process."""
    program, name, finds, *arguments = sys.argv
    with atheris.instrument_imports(include=["beam_jobs", "schemas", "model"]):
        check, seeds = target(name)
    for seed in seeds:
        Path(arguments[-1], hashlib.sha1(seed).hexdigest()).write_bytes(seed)
    atheris.Setup([program, *arguments], lambda data: _checked(check, data, Path(finds)))
    atheris.Fuzz()


def _checked(check: Callable[[bytes], None], data: bytes, finds: Path) -> None:
    """Keeps what breaks a target: libFuzzer keeps only what ends the process."""
    try:
        check(data)
    except Exception:
        path = finds / f"find-{hashlib.sha1(data).hexdigest()[:12]}"
        path.write_bytes(data)
        print(f"{path}: {data!r}", file=sys.stderr)
        raise


if __name__ == "__main__":
    main()
