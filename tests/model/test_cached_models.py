"""The cache on a real model in a bucket: by several processes, and with damage on the way."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud.storage import Bucket

from model.cache import cache_folder, cached
from model.cloud_storage import list_directory, upload_directory
from model.fingerprint import fingerprint
from tests.gcs.server import CloudStorage
from tests.model.conftest import Toy


@pytest.fixture(autouse=True)
def folder(gcs: CloudStorage) -> Path:
    """Where the copies are."""
    return cache_folder()


@pytest.fixture
def uploaded(gcs_bucket: Bucket, toy: Toy) -> str:
    """The URL of the toy model in a bucket."""
    url = f"gs://{gcs_bucket.name}/models/toy"
    upload_directory(toy.directory, url)
    return url


def start(url: str, program: str) -> subprocess.Popen[str]:
    """A process that has listed a directory and waits for a line before it runs a program."""
    beginning = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from model import remote\n"
        "from model.cache import cached\n"
        "from model.cloud_storage import list_directory\n"
        "found = list_directory(sys.argv[1])\n"
        "print('ready', flush=True)\n"
        "sys.stdin.readline()\n"
    )
    return subprocess.Popen(
        [sys.executable, "-c", beginning + program, url],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow  # each of them imports TensorFlow
def test_processes_that_ask_at_once_share_one_download(
    gcs: CloudStorage, uploaded: str, toy: Toy
) -> None:
    load = (
        "path = cached(found)\n"
        "from model.fingerprint import fingerprint\n"
        "from model.savedmodel import load\n"
        "load(path)\n"
        "print(fingerprint(path))\n"
    )
    processes = [start(uploaded, load) for _ in range(2)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    gcs.proxy.calls.clear()

    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    found = [process.communicate()[0].strip() for process in processes]

    assert found == [fingerprint(toy.directory)] * 2
    downloads = [call.name for call in gcs.proxy.calls if call.media]
    files = [path for path in toy.directory.rglob("*") if path.is_file()]
    assert len(downloads) == len(set(downloads)) == len(files)


def test_a_killed_download_leaves_nothing_that_is_served(
    uploaded: str, toy: Toy, folder: Path
) -> None:
    stop = (
        "def half(names, directory):\n"
        "    found.download(sorted(names)[:2], directory)\n"
        "    print('half', flush=True)\n"
        "    sys.stdin.readline()\n"
        "cached(found._replace(download=half))\n"
    )
    process = start(uploaded, stop)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("go\n")
    process.stdin.flush()
    assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "half\n"]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (left,) = [path for path in folder.iterdir() if path.is_dir()]
    assert len([path for path in left.rglob("*") if path.is_file()]) == 2

    path = cached(list_directory(uploaded))

    assert fingerprint(path) == fingerprint(toy.directory)
    assert [path for path in folder.iterdir() if path.is_dir()] == [path]


def test_a_corrupted_download_is_refused(
    gcs: CloudStorage, gcs_bucket: Bucket, uploaded: str, toy: Toy, folder: Path
) -> None:
    gcs.proxy.corrupted.add(f"{gcs_bucket.name}/models/toy/assets/vocab.txt")

    with pytest.raises(OSError, match=r"assets/vocab\.txt arrived damaged 3 times"):
        cached(list_directory(uploaded))

    assert [path.suffix for path in folder.iterdir()] == [".lock"]
    gcs.proxy.corrupted.clear()
    assert fingerprint(cached(list_directory(uploaded))) == fingerprint(toy.directory)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "remove": Path.unlink,
    "shorten": lambda path: os.truncate(path, path.stat().st_size - 1),
    "flip": lambda path: path.write_bytes(
        bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:]
    ),
    "add": lambda path: path.with_name("more.txt").write_text("more"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_copy_is_made_anew(uploaded: str, toy: Toy, damage: str) -> None:
    copy = cached(list_directory(uploaded))
    DAMAGES[damage](copy / "assets/vocab.txt")
    assert fingerprint(copy) != fingerprint(toy.directory)

    assert cached(list_directory(uploaded)) == copy
    assert fingerprint(copy) == fingerprint(toy.directory)
