"""What training reads, on disk for as long as it is read: from a path or from Cloud Storage."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from model.remote import RemoteDirectory, fetch, told_of
from schemas.errors import UserError


@contextmanager
def file_at_hand(source: str) -> Iterator[Path]:
    """A file on local disk.

    Args:
        source: a path, or `gs://BUCKET/NAME`, which is copied.

    Raises:
        UserError: it can't be copied. What one says of the copy is said of the source.
    """
    if "://" not in source:
        yield Path(source)
        return
    from model.cloud_storage import list_file

    with _copied(lambda: list_file(source)) as directory:
        (path,) = directory.iterdir()
        with told_of(source, path):
            yield path


@contextmanager
def directory_at_hand(source: str, names: Collection[str] = ()) -> Iterator[Path]:
    """Some files of a directory on local disk.

    Args:
        source: a path, or `gs://BUCKET/FOLDER`, of which the files are copied.
        names: of the files that matter, as in `model.cloud_storage.list_directory`.

    Raises:
        UserError: they can't be copied. What one says of the copy is said of the source.
    """
    if "://" not in source:
        yield Path(source)
        return
    from model.cloud_storage import list_directory

    with _copied(lambda: list_directory(source, names)) as directory, told_of(source, directory):
        yield directory


@contextmanager
def _copied(listing: Callable[[], RemoteDirectory]) -> Iterator[Path]:
    # Not in the cache: training would outlast the hour that a copy is kept there, and a large data
    # set would take the place of models.
    with tempfile.TemporaryDirectory(prefix="train-sentiment-") as folder:
        try:
            fetch(listing(), Path(folder))
        except OSError as error:
            raise UserError(str(error)) from error
        yield Path(folder)
