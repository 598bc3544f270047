"""The server that stands in for Cloud Storage, as Beam and Google's client meet it."""

import os
from pathlib import Path

import pytest
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from google.api_core import exceptions
from google.auth.exceptions import InvalidOperation
from google.cloud import storage
from google.cloud.storage.exceptions import DataCorruption

from tests.gcs.faults import busy, forbidden, object_user, private, read_only, write_once
from tests.gcs.server import CloudStorage


def written(bucket: storage.Bucket, name: str, content: bytes) -> str:
    bucket.blob(name).upload_from_string(content)
    return f"gs://{bucket.name}/{name}"


def names(bucket: storage.Bucket) -> list[str]:
    return [blob.name for blob in bucket.list_blobs()]


def test_beam_writes_renames_reads_and_deletes(gcs_bucket: storage.Bucket) -> None:
    content = os.urandom(40 << 20)  # three requests: Beam writes and reads 16 MiB at a time
    first, last = f"gs://{gcs_bucket.name}/a b/first", f"gs://{gcs_bucket.name}/a b/last"

    with FileSystems.create(first) as file:
        file.write(content)
    FileSystems.rename([first], [last])

    assert names(gcs_bucket) == ["a b/last"]
    with FileSystems.open(last) as file:
        assert file.read() == content
        file.seek(len(content) - 3)
        assert (file.read(8), file.read(8)) == (content[-3:], b"")
    FileSystems.delete([last])
    assert names(gcs_bucket) == []


def test_a_read_beyond_the_end_is_refused(gcs: CloudStorage, gcs_bucket: storage.Bucket) -> None:
    written(gcs_bucket, "short", b"1234")
    written(gcs_bucket, "empty", b"")
    bucket = storage.Client().bucket(gcs_bucket.name)

    assert bucket.blob("short").download_as_bytes(start=3) == b"4"
    for name, start in (("short", 4), ("empty", 0)):
        with pytest.raises(exceptions.RequestRangeNotSatisfiable):
            bucket.blob(name).download_as_bytes(start=start)
    assert [call.name for call in gcs.proxy.calls if call.media] == ["short", "short", "empty"]


def test_a_busy_server_is_asked_again(gcs: CloudStorage, gcs_bucket: storage.Bucket) -> None:
    path = written(gcs_bucket, "object", b"content")
    gcs.proxy.faults.append(busy(0.5, seed=1))

    with FileSystems.open(path) as file:
        assert file.read() == b"content"

    assert len(gcs.proxy.calls) > 2  # two suffice: of its size and of its content


def test_what_an_account_may_not_is_refused(gcs: CloudStorage, gcs_bucket: storage.Bucket) -> None:
    path = written(gcs_bucket, "object", b"content")

    gcs.proxy.faults[:] = [read_only(gcs_bucket.name)]
    assert FileSystems.exists(path)
    with pytest.raises(BeamIOError, match="403"):  # a batch that succeeds, with parts that don't
        FileSystems.rename([path], [path + "2"])
    gcs.proxy.faults[:] = [write_once(gcs_bucket.name)]
    with FileSystems.create(path + "2") as file:
        file.write(b"new")
    with pytest.raises(exceptions.Forbidden, match="does not have storage"):
        FileSystems.exists(path)
    gcs.proxy.faults[:] = [object_user(gcs_bucket.name)]
    FileSystems.rename([path + "2"], [path + "3"])
    assert FileSystems.exists(path + "3")
    with pytest.raises(exceptions.Forbidden, match=r"not have storage\.buckets\.get access"):
        storage.Client().get_bucket(gcs_bucket.name)
    gcs.proxy.faults[:] = [forbidden("another")]
    assert FileSystems.exists(path)


def test_a_private_bucket_asks_for_credentials(
    gcs: CloudStorage, gcs_bucket: storage.Bucket
) -> None:
    path = written(gcs_bucket, "object", b"content")
    gcs.proxy.faults.append(private())

    assert FileSystems.exists(path)
    # Google's client asks its credentials for more rather than to tell what the server said.
    with pytest.raises(InvalidOperation, match="Anonymous credentials"):
        storage.Client.create_anonymous_client().bucket(gcs_bucket.name).blob("object").reload()


def test_corrupted_content_fails_its_checksum(
    gcs: CloudStorage, gcs_bucket: storage.Bucket, tmp_path: Path
) -> None:
    written(gcs_bucket, "object", b"content")
    gcs.proxy.corrupted.add(f"{gcs_bucket.name}/object")
    blob = storage.Client().bucket(gcs_bucket.name).blob("object")

    with pytest.raises(DataCorruption):
        blob.download_to_filename(str(tmp_path / "copy"))


@pytest.mark.parametrize(
    ("name", "words"),
    [("absent/object", "specified bucket does not exist"), ("", "No such object")],
)
def test_what_is_missing_is_named(gcs_bucket: storage.Bucket, name: str, words: str) -> None:
    bucket, _, blob = (name or f"{gcs_bucket.name}/object").partition("/")

    with pytest.raises(exceptions.NotFound, match=words):
        storage.Client().bucket(bucket).blob(blob).reload()
