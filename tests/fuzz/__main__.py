"""Fuzzes a target, guided by the coverage of the job's own code: python -m tests.fuzz --help."""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.fuzz.choices import MEMORY
from tests.fuzz.modules import MODULES

INPUT_LIMIT_BYTES = 4096
MEMORY_LIMIT_MEGABYTES = 3000
SLOWEST_RUN_SECONDS = 20


def main(arguments: Sequence[str] | None = None) -> int:
    """Fuzzes; returns 0 if no input broke the target."""
    options = _parser().parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=MEMORY) as scratch:
        guided = [sys.executable, "-m", "tests.fuzz.guided", options.target, options.finds]
        command = [*guided, *_flags(options)]
        folders = [options.corpus or f"{scratch}/corpus", f"{scratch}/seeds"]
        for folder in folders:
            Path(folder).mkdir(parents=True, exist_ok=True)
        return subprocess.run(
            [*command, *folders], env={**os.environ, "TMPDIR": scratch}, check=False
        ).returncode


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description="Feeds a parser with inputs that reach ever more of its code, and stops at the "
        "first for which its promise doesn't hold; that input is written to a file.",
    )
    parser.add_argument("target", choices=MODULES, metavar="TARGET", help=", ".join(MODULES))
    parser.add_argument("--seconds", type=int, default=60, help="default: %(default)s")
    parser.add_argument("--runs", type=int, default=-1, help="inputs to try (default: no limit)")
    parser.add_argument("--seed", type=int, default=0, help="0 for another one on every run")
    parser.add_argument("--corpus", help="folder to keep the inputs that reached new code in")
    parser.add_argument("--finds", default=".", help="folder for what broke (default: this one)")
    return parser


def _flags(options: argparse.Namespace) -> list[str]:
    return [
        f"-max_total_time={options.seconds}",
        f"-runs={options.runs}",
        f"-seed={options.seed}",
        f"-max_len={INPUT_LIMIT_BYTES}",
        f"-rss_limit_mb={MEMORY_LIMIT_MEGABYTES}",
        f"-timeout={SLOWEST_RUN_SECONDS}",
        f"-artifact_prefix={options.finds}/",
        "-print_final_stats=1",
    ]


if __name__ == "__main__":
    sys.exit(main())
