"""Disks that fill up, can't be written or can't be read any more, in the middle of a run."""

import gzip
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.integration.buckets import REVIEWS, by_id, score
from tests.integration.crashes import Disk, Rows, rows_seen, run, strays
from tests.integration.harms import HARMS, fill, mount

pytestmark = pytest.mark.slow

READING, WRITING, MOVING, MANIFEST = (
    "os.mkdir /rejected/beam-temp",
    "open /scores/beam-temp",
    "os.rename /scores/beam-temp",
    "open /manifest.json",
)
"""Changes before which something goes wrong."""


@pytest.fixture
def new_disk(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Makes small disks by name. Needs root: elsewhere `unshare -rm python -m pytest ...`."""
    if os.geteuid() != 0:
        give_up = pytest.fail if os.environ.get("CI") else pytest.skip
        give_up("disks are mounted by root only: run the test under `unshare -rm`")
    mounted: list[Path] = []

    def make(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        mount("-t", "tmpfs", "-o", "size=512k", "none", str(folder))
        mounted.append(folder)
        return folder

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    path = tmp_path / "dump.csv"
    texts = [str(row["text"]).replace('"', "'") for row in REVIEWS]
    lines = [f'{i},"{text}"\n' for i, text in enumerate([*texts, ""])]
    path.write_text("review_id,text\n" + "".join(lines), "utf-8")
    return path


def command(inputs: str) -> list[str]:
    arguments = ["--input", inputs, "--id_field", "review_id", "--keep_fields", "text:string"]
    return [*arguments, "--quiet", "--max_rejected_share", "0.5"]


def fails(
    disk: Disk, arguments: list[str], log: Path, moment: str, harm: Callable[[], None]
) -> str:
    """Runs a job that fails when something goes wrong at a moment; returns what it says."""
    log.unlink(missing_ok=True)
    pending = [harm]

    def tell(number: int, change: str) -> None:
        if pending and change.startswith(moment):
            pending.pop()()

    code = disk.follow(disk.start(arguments, log), tell)
    said = log.read_text("utf-8")
    assert (code, rows_seen(disk), pending) == (1, {}, []), said
    (line,) = said.splitlines()
    assert line.startswith("score-reviews: error: the job failed: ")
    return line


def succeeds(disk: Disk, arguments: list[str], log: Path) -> Rows:
    log.unlink(missing_ok=True)
    assert run(disk, arguments, log) == 0, log.read_text("utf-8")
    assert not strays(disk)
    return rows_seen(disk)


def test_an_output_that_fails_leaves_no_manifest_and_can_be_repeated(
    new_disk: Callable[[str], Path], dump: Path, tmp_path: Path
) -> None:
    expected = succeeds(Disk(tmp_path / "out"), command(str(dump)), tmp_path / "log")
    prefixes = {name: new_disk(name) / "out" for name in HARMS}

    def suffer(name: str) -> None:
        harm, prefix, log = HARMS[name], prefixes[name], tmp_path / f"{name}.log"
        arguments = [*command(str(dump)), "--output_format", harm.output_format]
        for moment in (WRITING, MOVING, MANIFEST):
            fails(Disk(prefix), arguments, log, moment, lambda: harm.do(prefix))
            harm.undo(prefix)
        found = succeeds(Disk(prefix), arguments, log)
        assert {kind: len(rows) for kind, rows in found.items()} == {"scores": 20, "rejected": 1}
        ours, theirs = (sorted(rows["scores"], key=by_id) for rows in (expected, found))
        assert [row["positive_probability"] for row in ours] == [
            pytest.approx(row["positive_probability"], abs=1e-6) for row in theirs
        ]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(suffer, HARMS))


def test_a_file_that_is_deleted_before_the_manifest_fails_the_run(
    dump: Path, tmp_path: Path
) -> None:
    disk, log = Disk(tmp_path / "out"), tmp_path / "log"

    line = fails(
        disk,
        command(str(dump)),
        log,
        "shutil.rmtree /rejected",
        lambda: shutil.rmtree(tmp_path / "out" / "scores"),
    )

    assert "was deleted during the run; no manifest is written" in line


def test_an_input_that_fails_leaves_no_manifest_and_can_be_repeated(
    dump: Path, tmp_path: Path
) -> None:
    packed, table = tmp_path / "dump.csv.gz", tmp_path / "dump.parquet"
    packed.write_bytes(gzip.compress(dump.read_bytes()))
    pq.write_table(pa.Table.from_pylist([{"review_id": "1", "text": "Fine."}]), table)
    arguments, log = command(f"{tmp_path}/dump.*"), tmp_path / "log"
    disk = Disk(tmp_path / "out")

    for path in (dump, packed, table):
        kept = path.rename(tmp_path / "kept")
        shutil.copy(kept, path)

        def unreadable(path: Path = path) -> None:
            path.unlink()
            path.symlink_to("/proc/self/mem")  # opens; reading its beginning is an I/O error

        fails(disk, arguments, log, READING, unreadable)
        kept.replace(path)

    rows = succeeds(disk, arguments, log)
    assert {kind: len(of_kind) for kind, of_kind in rows.items()} == {"scores": 41, "rejected": 2}


def test_a_full_temporary_directory_is_no_matter(
    new_disk: Callable[[str], Path],
    dump: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = new_disk("temporary")
    fill(full / "out")
    monkeypatch.setattr(tempfile, "tempdir", str(full))

    assert score(str(dump), f"{tmp_path}/out", "--max_rejected_share", "0.5") == 0
