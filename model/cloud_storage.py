"""Cloud Storage: directories of a bucket listed, copied from and written to.

Google's client retries what is worth it (https://cloud.google.com/storage/docs/retry-strategy).
"""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Collection
from fnmatch import fnmatchcase
from pathlib import Path

from google.api_core.exceptions import PreconditionFailed
from google.cloud.storage import Blob, Client
from google.cloud.storage.transfer_manager import THREAD, download_many, upload_many

from model.card import NETWORK_FILES
from model.remote import FILES_TOGETHER, RemoteDirectory, RemoteFile, crc32c
from model.storage_errors import READER, WRITER, explained
from schemas.errors import UserError

SCHEME = "gs://"
LISTED = "items(name,size,crc32c,md5Hash,generation),nextPageToken"

UPLOAD_CHUNK_BYTES = 16 << 20
"""Each must be through within a minute; the client's own 100 MiB are too much for a slow line."""


def client() -> Client:
    """The one client of this process, with the credentials that Google's libraries find."""
    return _client(os.getpid())  # connections don't survive a fork


@functools.lru_cache(maxsize=1)
def _client(process_id: int) -> Client:
    # Objects belong to buckets: which project asks doesn't matter, and there may be none.
    return Client(project=None)


def parts(url: str) -> tuple[str, str]:
    """Bucket and name in it, without slashes around.

    Raises:
        UserError: the URL names no bucket.
    """
    bucket, _, name = url.removeprefix(SCHEME).partition("/")
    if not url.startswith(SCHEME) or not re.fullmatch(r"[a-z0-9][a-z0-9._-]+[a-z0-9]", bucket):
        raise UserError(f"{url!r} names no bucket: write gs://BUCKET/FOLDER")
    return bucket, name.strip("/")


def list_directory(url: str, names: Collection[str] = ()) -> RemoteDirectory:
    """The objects under a URL.

    Args:
        url: `gs://BUCKET/FOLDER`.
        names: of the objects that matter, relative to the URL, or patterns of them as in `fnmatch`;
            all where it is empty.

    Raises:
        UserError: there is nothing, or it can't be listed, and why.
        OSError: Cloud Storage is out of reach.
    """
    bucket, name = parts(url)
    prefix = f"{name}/" if name else ""
    with explained(url, READER):
        blobs = {
            blob.name.removeprefix(prefix): blob
            for blob in client().list_blobs(bucket, prefix=prefix, fields=LISTED)
            if not blob.name.endswith("/")  # a console marks a folder so
        }
    wanted = {
        name: blob
        for name, blob in blobs.items()
        if not names or any(fnmatchcase(name, pattern) for pattern in names)
    }
    if not wanted:
        raise UserError(f"nothing at {url}: check the URL")
    return _remote(url, wanted)


def list_file(url: str) -> RemoteDirectory:
    """One object, as a directory that holds nothing else.

    Args:
        url: `gs://BUCKET/NAME`.

    Raises:
        UserError: it isn't there, or can't be read, and why.
        OSError: Cloud Storage is out of reach.
    """
    bucket, name = parts(url)
    if not name:
        raise UserError(f"{url!r} names no object: write gs://BUCKET/NAME")
    with explained(url, READER):
        blob = client().bucket(bucket).blob(name)
        blob.reload()
    return _remote(url, {Path(name).name: blob})


def _remote(url: str, blobs: dict[str, Blob]) -> RemoteDirectory:
    def download(names: Collection[str], directory: Path) -> None:
        _download({name: blobs[name] for name in names}, directory, url)

    files = [_remote_file(name, blob) for name, blob in blobs.items()]
    return RemoteDirectory(url, files, download)


def _remote_file(name: str, blob: Blob) -> RemoteFile:
    # Composed objects have no md5; their crc32c alone is too short to tell contents apart.
    version = blob.md5_hash or f"{blob.bucket.name}/{blob.name}#{blob.generation}"
    return RemoteFile(name, blob.size, blob.crc32c or "", version)


def _download(blobs: dict[str, Blob], directory: Path, url: str) -> None:
    with explained(url, READER):
        download_many(
            [(blob, str(directory / name)) for name, blob in blobs.items()],
            # As they are stored, whatever their Content-Encoding; checked against their listing.
            {"raw_download": True, "checksum": None},
            raise_exception=True,
            worker_type=THREAD,
            max_workers=FILES_TOGETHER,
        )


def check_free(url: str) -> None:
    """Checks that a directory can be uploaded to a URL, without leaving anything there.

    Raises:
        UserError: something is there, or nothing can be written there, and why.
        OSError: Cloud Storage is out of reach.
    """
    bucket, name = parts(url)
    prefix = f"{name}/" if name else ""
    with explained(url, WRITER):
        found = client().list_blobs(bucket, prefix=prefix, max_results=2)
        if any(blob.name != prefix for blob in found):
            raise UserError(f"{url} isn't empty: remove it or give another --output")
        # Beginning an upload needs the right to create this very object, on whatever level that
        # was granted; nothing is there before the upload ends.
        blob = client().bucket(bucket).blob(f"{prefix}{NETWORK_FILES[0]}")
        blob.create_resumable_upload_session(if_generation_match=0)


def upload_directory(directory: Path, url: str) -> None:
    """Writes the files of a directory to a bucket; never replaces other contents.

    `saved_model.pb` comes last: whoever watches for models takes a folder for one once it is there.

    Raises:
        UserError: they can't be written, and why.
        OSError: Cloud Storage is out of reach.
    """
    files = sorted(path for path in directory.rglob("*") if path.is_file())
    last = [directory / NETWORK_FILES[0]]
    _upload([path for path in files if path not in last], directory, url)
    _upload(last, directory, url)


def _upload(paths: list[Path], directory: Path, url: str) -> None:
    with explained(url, WRITER):
        pairs = [(str(path), _blob_of(path, directory, url)) for path in paths]
        results = upload_many(
            pairs,
            skip_if_exists=True,
            raise_exception=True,
            worker_type=THREAD,
            max_workers=FILES_TOGETHER,
        )
        for (path, blob), result in zip(pairs, results, strict=True):
            if isinstance(result, PreconditionFailed):
                _check_same(Path(path), blob, url)


def _blob_of(path: Path, directory: Path, url: str) -> Blob:
    bucket, prefix = parts(url)
    name = f"{prefix}/{path.relative_to(directory).as_posix()}".lstrip("/")
    return client().bucket(bucket).blob(name, chunk_size=UPLOAD_CHUNK_BYTES)


def _check_same(path: Path, blob: Blob, url: str) -> None:
    """An upload whose answer was lost is repeated, and then finds its own object there."""
    blob.reload()
    if blob.crc32c != crc32c(path):
        raise UserError(f"{url}: somebody else has written {blob.name}; give another --output")
