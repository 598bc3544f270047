import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from google.cloud.storage import Bucket

from model.cloud_storage import check_free, client, list_directory, list_file, upload_directory
from model.remote import RemoteFile, crc32c, fetch
from schemas.errors import UserError
from tests.gcs.calls import Call, call_of
from tests.gcs.faults import busy
from tests.gcs.proxy import Answer, Proxy
from tests.gcs.server import CloudStorage


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """As much of a model as an upload looks at, and a file of several requests."""
    directory = tmp_path / "model"
    for name, size in (("variables/data", 40 << 20), ("saved_model.pb", 9), ("assets/empty", 0)):
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).write_bytes(os.urandom(size))
    return directory


def contents(directory: Path) -> dict[str, bytes]:
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file()
    }


def objects(bucket: Bucket) -> dict[str, bytes]:
    return {blob.name: blob.download_as_bytes() for blob in bucket.list_blobs()}


@pytest.mark.parametrize("folder", ["", "/", "/models/1", "/models/1/"])
def test_what_was_uploaded_is_listed_and_comes_back(
    gcs_bucket: Bucket, directory: Path, tmp_path: Path, folder: str
) -> None:
    url = f"gs://{gcs_bucket.name}{folder}"
    upload_directory(directory, url)
    gcs_bucket.blob("models/10/saved_model.pb").upload_from_string("another")
    gcs_bucket.blob("models/1/").upload_from_string("")  # a console's mark of a folder

    found = list_directory(url)

    if folder.strip("/"):
        fetch(found, tmp_path / "copy")
        assert contents(tmp_path / "copy") == contents(directory)
        expected = {
            name: (len(data), crc32c(directory / name))
            for name, data in contents(directory).items()
        }
        assert {file.name: file[1:3] for file in found.files} == expected
    else:
        assert {file.name for file in found.files} == {
            *contents(directory),
            "models/10/saved_model.pb",
        }


def test_only_the_files_that_matter_are_listed(gcs_bucket: Bucket) -> None:
    for name in ("vocab.txt", "model.safetensors", "pytorch_model.bin"):
        gcs_bucket.blob(f"bert/{name}").upload_from_string(name)

    found = list_directory(f"gs://{gcs_bucket.name}/bert", ("vocab.txt", "model.safetensors"))

    assert sorted(file.name for file in found.files) == ["model.safetensors", "vocab.txt"]

    matching = list_directory(f"gs://{gcs_bucket.name}", ("bert/p*", "other/*"))
    assert [file.name for file in matching.files] == ["bert/pytorch_model.bin"]


def test_one_object(gcs_bucket: Bucket, tmp_path: Path) -> None:
    gcs_bucket.blob("a/reviews.csv").upload_from_string("text,label\n")
    gcs_bucket.blob("a/reviews.csv.old").upload_from_string("")

    fetch(list_file(f"gs://{gcs_bucket.name}/a/reviews.csv"), tmp_path / "copy")

    assert contents(tmp_path / "copy") == {"reviews.csv": b"text,label\n"}


def test_new_contents_are_another_version(gcs_bucket: Bucket) -> None:
    def written(content: str) -> RemoteFile:
        gcs_bucket.blob("m/file").upload_from_string(content)
        (file,) = list_directory(f"gs://{gcs_bucket.name}/m").files
        return file

    first, second, third = written("abcd"), written("dcba"), written("abcd")

    assert first.version != second.version
    assert first == third


def test_objects_are_copied_as_they_are_stored(
    gcs_bucket: Bucket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored, real = gzip.compress(b"words"), Proxy._forward

    def forward(*request: Any) -> Answer:
        answer = real(*request)
        if answer.body != stored:
            return answer
        # The emulator forgets the encoding of an object.
        return answer._replace(headers={**answer.headers, "Content-Encoding": "gzip"})

    monkeypatch.setattr(Proxy, "_forward", forward)
    gcs_bucket.blob("m/vocab.txt").upload_from_string(stored)

    fetch(list_directory(f"gs://{gcs_bucket.name}/m"), tmp_path / "copy")

    assert (tmp_path / "copy/vocab.txt").read_bytes() == stored


def test_saved_model_comes_last(gcs: CloudStorage, gcs_bucket: Bucket, directory: Path) -> None:
    there: list[set[str]] = []

    def look(call: Call) -> int:
        if call.writes() and call.name.endswith("saved_model.pb"):
            there.append({blob.name for blob in gcs_bucket.list_blobs()})
        return 0

    gcs.proxy.faults.append(look)
    upload_directory(directory, f"gs://{gcs_bucket.name}/m")

    assert there == [{"m/assets/empty", "m/variables/data"}]
    assert {f"m/{name}": content for name, content in contents(directory).items()} == objects(
        gcs_bucket
    )


@pytest.mark.slow
def test_a_busy_server_is_asked_again(
    gcs: CloudStorage, gcs_bucket: Bucket, directory: Path, tmp_path: Path
) -> None:
    statuses: list[int] = []
    fault = busy(0.3, seed=1)

    def counted(call: Call) -> int:
        statuses.append(fault(call))
        return statuses[-1]

    gcs.proxy.faults.append(counted)
    url = f"gs://{gcs_bucket.name}/m"
    check_free(url)
    upload_directory(directory, url)
    fetch(list_directory(url), tmp_path / "copy")

    assert contents(tmp_path / "copy") == contents(directory)
    assert statuses.count(503) >= 3


@pytest.fixture
def preconditions(monkeypatch: pytest.MonkeyPatch, gcs: CloudStorage) -> None:
    """Cloud Storage that heeds `ifGenerationMatch=0`, which the emulator doesn't know."""
    real = Proxy._forward

    def forward(self: Proxy, method: str, target: str, *request: Any) -> Answer:
        call = call_of(method, target, request[-1], signed=False)
        if "ifGenerationMatch=0" in target and gcs.client.bucket(call.bucket).get_blob(call.name):
            return Answer(412, {"Content-Type": "application/json"}, b"{}")
        return real(self, method, target, *request)

    monkeypatch.setattr(Proxy, "_forward", forward)


@pytest.mark.usefixtures("preconditions")
def test_an_upload_can_be_repeated_but_replaces_nothing(
    gcs_bucket: Bucket, directory: Path
) -> None:
    url = f"gs://{gcs_bucket.name}/m"
    upload_directory(directory, url)
    upload_directory(directory, url)

    (directory / "assets/empty").write_text("no more")

    with pytest.raises(UserError, match="somebody else has written m/assets/empty"):
        upload_directory(directory, url)
    assert objects(gcs_bucket)["m/assets/empty"] == b""


def test_a_free_place_is_left_free(gcs_bucket: Bucket) -> None:
    gcs_bucket.blob("models/10/saved_model.pb").upload_from_string("another")
    gcs_bucket.blob("models/1/").upload_from_string("")

    check_free(f"gs://{gcs_bucket.name}/models/1")

    names = [blob.name for blob in gcs_bucket.list_blobs()]
    assert names == ["models/1/", "models/10/saved_model.pb"]
    with pytest.raises(UserError, match="/models isn't empty"):
        check_free(f"gs://{gcs_bucket.name}/models")


def test_there_is_one_client(gcs: CloudStorage) -> None:
    assert client() is client()
