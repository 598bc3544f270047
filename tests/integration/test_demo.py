"""`make demo` prints what the README shows of it."""

import re
from pathlib import Path

import pytest

from beam_jobs.demo import main

README = Path(__file__).parents[2] / "README.md"


def test_the_readme_shows_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert main() == 0

    captured = capsys.readouterr()
    assert captured.err == ""
    printed = captured.out.splitlines()
    (block,) = re.findall(r"```text\n(read .*?)\n\.\.\.\n```", README.read_text("utf-8"), re.DOTALL)
    shown = [line for line in block.splitlines() if not line.startswith("time")]
    assert [line for line in printed if line in shown] == shown
