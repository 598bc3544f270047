import base64
import struct
from collections.abc import Collection
from pathlib import Path

import pytest

from model.remote import DOWNLOADS, RemoteDirectory, RemoteFile, crc32c, damaged, fetch, told_of
from schemas.errors import UserError

# "123456789" and its checksum are the check value of CRC-32C in RFC 3720 and the catalogue of CRCs.
CHECKED, CHECKSUM = b"123456789", base64.b64encode(struct.pack(">I", 0xE3069283)).decode()


class Store:
    """Gives files as it is told to, and notes which were asked for."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.asked: list[list[str]] = []

    def download(self, names: Collection[str], directory: Path) -> None:
        self.asked.append(sorted(names))
        for name in names:
            (directory / name).write_bytes(self.answers.pop(0) if name == "a/b" else CHECKED)

    def directory(self, *names: str) -> RemoteDirectory:
        files = [RemoteFile(name, len(CHECKED), CHECKSUM, "1") for name in names]
        return RemoteDirectory("gs://bucket/m", files, self.download)


def test_checksum_is_that_of_the_standard(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CHECKED)
    assert crc32c(tmp_path / "file") == CHECKSUM


def test_what_arrives_damaged_is_asked_for_again(tmp_path: Path) -> None:
    store = Store(b"123456780", b"12345678", CHECKED)

    fetch(store.directory("a/b", "c"), tmp_path)

    assert store.asked == [["a/b", "c"], ["a/b"], ["a/b"]]
    assert (tmp_path / "a/b").read_bytes() == (tmp_path / "c").read_bytes() == CHECKED


def test_what_keeps_arriving_damaged_is_refused(tmp_path: Path) -> None:
    store = Store(*[b"123456780"] * DOWNLOADS)

    with pytest.raises(OSError, match=r"^gs://bucket/m: a/b arrived damaged 3 times .*try again"):
        fetch(store.directory("c", "a/b"), tmp_path)


def test_damage_shows(tmp_path: Path) -> None:
    files = Store().directory("whole", "short", "changed", "absent").files
    (tmp_path / "whole").write_bytes(CHECKED)
    (tmp_path / "short").write_bytes(CHECKED[:-1])
    (tmp_path / "changed").write_bytes(CHECKED[::-1])

    assert damaged(files, tmp_path) == ["short", "changed", "absent"]
    assert damaged([file._replace(crc32c="") for file in files], tmp_path) == ["short", "absent"]


@pytest.mark.parametrize("name", ["../a", "a/../../b", "/a"])
def test_no_name_leads_out_of_the_directory(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="copied out of its folder"):
        fetch(Store().directory(name), tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_errors_name_the_url_and_never_the_copy() -> None:
    copy = Path("/tmp/copies/0123")
    with (
        pytest.raises(UserError, match=r"^gs://b/m/vocab.txt and gs://b/m$"),
        told_of("gs://b/m/", copy),
    ):
        raise UserError(f"{copy}/vocab.txt and {copy}")
    with pytest.raises(UserError, match=r"^models/m, man$"), told_of("m/", Path("m")):
        raise UserError("models/m, man")
