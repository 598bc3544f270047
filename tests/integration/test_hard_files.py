"""Files that may not be read, change meanwhile, are very many or hold very long records."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from beam_jobs.formats.streams import StoredFile
from beam_jobs.score_reviews import main
from beam_jobs.sources import listed, match_files
from tests.bad_input.big_records import big_files
from tests.bad_input.outcomes import left_in, run

SMALL_BYTES, BIG_BYTES = 1_000, 200_000_000
LINE = b'{"text": "Nice."}\n'

PEAK = """
import resource, sys
from beam_jobs.score_reviews import main
code = main(sys.argv[1:])
try:
    with open("/proc/self/status") as file:
        peak = next(int(line.split()[1]) for line in file if line.startswith("VmHWM"))
except FileNotFoundError:  # macOS, where it is bytes
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
print(peak)
sys.exit(code)
"""
"""Runs the job, and prints the most memory that it had, in KiB.

What the system tells of a child would hold the memory of the process that started it, too.
"""


@pytest.mark.slow
def test_a_file_that_may_not_be_read_is_one_line(folder: Path) -> None:
    path = folder / "a.jsonl"
    path.write_bytes(LINE)
    path.chmod(0)
    arguments = ["--input", str(path), "--output", str(folder.parent / "out")]
    command = [sys.executable, "-m", "beam_jobs.score_reviews", *arguments]
    if os.geteuid() == 0:  # root may read anything, unless it gives that up
        command = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]

    done = subprocess.run(command, capture_output=True, text=True)

    assert done.returncode == 2
    assert done.stderr == (
        f"score-reviews: error: --input {path}: may not be read; give this user the permission\n"
    )


def _shrink(path: Path) -> None:
    os.truncate(path, len(LINE))


def _empty(path: Path) -> None:
    os.truncate(path, 0)


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"More, but not yet whole")


def _replace(path: Path) -> None:
    other = path.with_suffix(".new")
    other.write_bytes(b"no JSON\n")
    other.rename(path)


def change_when_opened(
    changes: Mapping[str, Callable[[Path], object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Changes files, by their names, right after they are opened and before they are read."""
    initialize = StoredFile.__init__

    def open_and_change(file: StoredFile, path: str) -> None:
        initialize(file, path)
        if os.path.basename(path) in changes:
            changes[os.path.basename(path)](Path(path))

    monkeypatch.setattr(StoredFile, "__init__", open_and_change)


def test_files_are_read_as_they_were_when_opened(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changes: dict[str, Callable[[Path], object]] = {
        "shrinks.jsonl": _shrink,
        "becomes empty.jsonl": _empty,
        "grows.jsonl": _grow,
        "vanishes.jsonl": Path.unlink,
        "is replaced.jsonl": _replace,
    }
    for name in ("a good one.jsonl", *changes):  # the first one is looked at for its fields, too
        (folder / name).write_bytes(2 * LINE)
    change_when_opened(changes, monkeypatch)

    found = run([f"{folder}/*"], folder.parent / "out")

    lost = {("shrinks.jsonl", "18"), ("becomes empty.jsonl", "0")}
    assert found.reasons == {(f"{folder}/{name}", at): "unreadable_file" for name, at in lost}
    whole = ("a good one", "grows", "vanishes", "is replaced")
    scored = [f"{folder}/{name}.jsonl#{at}" for name in whole for at in (0, 18)]
    assert found.ids == Counter([*scored, f"{folder}/shrinks.jsonl#0"])


def test_a_file_that_is_gone_when_it_is_to_be_read_is_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path, prefix = folder / "a.jsonl", folder.parent / "out"
    path.write_bytes(LINE)
    change_when_opened({path.name: Path.unlink}, monkeypatch)  # when its fields are looked for

    assert main(["--input", str(path), "--output", str(prefix), "--quiet"]) == 2

    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"score-reviews: error: --input {path}: no file matches")
    assert not (prefix / "manifest.json").exists()


def test_the_manifest_tells_of_the_files_that_were_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("deleted", "kept"):
        (folder / f"{name}.jsonl").write_bytes(LINE)

    def exchange(path: Path) -> None:
        path.unlink()
        for name in ("new", "newer"):
            (folder / f"{name}.jsonl").write_bytes(3 * LINE)

    change_when_opened({"deleted.jsonl": exchange}, monkeypatch)  # when its fields are looked for

    prefix = folder.parent / "out"
    assert main(["--input", f"{folder}/*", "--output", str(prefix)]) == 0

    found = left_in(prefix)
    assert found.manifest["counts"]["scored"] == 7
    inputs = found.manifest["inputs"]
    assert (inputs["files"], inputs["bytes"]) == (3, 7 * len(LINE))
    assert inputs == {"patterns": [f"{folder}/*"], **listed(match_files([f"{folder}/*"]))}
    told = "there were 2 with 36 bytes, and 3 with 126 bytes were read"
    assert told in capsys.readouterr().err


@pytest.mark.slow
def test_ten_thousand_tiny_files(folder: Path) -> None:
    for number in range(10_000):
        (folder / f"{number}.jsonl").write_bytes(LINE if number % 10 else b"none\n")

    found = run([f"{folder}/*"], folder.parent / "out")

    assert found.manifest["inputs"]["files"] == 10_000
    assert found.ids == Counter(f"{folder}/{n}.jsonl#0" for n in range(10_000) if n % 10)
    assert found.reasons == {
        (f"{folder}/{n}.jsonl", "0"): "malformed_record" for n in range(0, 10_000, 10)
    }


def peak_bytes(folder: Path, prefix: Path) -> int:
    arguments = ["--input", f"{folder}/*", "--output", str(prefix), "--quiet"]
    command = [sys.executable, "-c", PEAK, *arguments, "--max_rejected_share", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout) * 1024


@pytest.mark.tfx_bsl
@pytest.mark.slow
def test_memory_does_not_grow_with_records_of_200_mb(tmp_path: Path) -> None:
    peaks, files = {}, {}
    for size_bytes in (SMALL_BYTES, BIG_BYTES):
        folder = tmp_path / str(size_bytes)
        folder.mkdir()
        for suffix, content, *positions in big_files(size_bytes):
            path = folder / f"a{suffix}"
            path.write_bytes(content)
            files[str(path)] = positions
        peaks[size_bytes] = peak_bytes(folder, folder / "out")

    found = left_in(folder / "out")
    big = {path: at for path, at in files.items() if path.startswith(str(folder))}
    assert found.reasons == {(path, str(at)): "too_large" for path, (at, _) in big.items()}
    assert found.ids == Counter(
        f"{path}#{at}" for path, (_, last) in big.items() for at in (0, last)
    )
    assert peaks[BIG_BYTES] < peaks[SMALL_BYTES] + BIG_BYTES
