"""A bucket on local disk: flat names without folders, and sometimes out of reach."""

from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from apache_beam.io.filesystem import BeamIOError, FileMetadata
from apache_beam.io.localfilesystem import LocalFileSystem

SCHEME = "bucket"


class BucketFileSystem(LocalFileSystem):
    """Objects `bucket://NAME` stand for the files `NAME` under a root.

    Attributes:
        root: the folder that holds the objects.
        down: whether the bucket is out of reach.
    """

    root = Path()
    down = False

    @classmethod
    def scheme(cls) -> str:
        return SCHEME

    def has_dirs(self) -> bool:
        return False

    def _list(self, dir_or_prefix: str) -> Iterator[FileMetadata]:
        if self.down:
            raise BeamIOError("503")
        for path in sorted(self.root.rglob("*")):
            # A console that makes a "folder" leaves an empty object with a slash at its end.
            name = f"{path.relative_to(self.root).as_posix()}{'/' if path.is_dir() else ''}"
            url, stat = f"{SCHEME}://{name}", path.stat()
            if url.startswith(dir_or_prefix):
                yield FileMetadata(url, stat.st_size, stat.st_mtime)

    def _path_open(self, path: str, *arguments: object, **options: object) -> BinaryIO:
        local = self.root / path.removeprefix(f"{SCHEME}://")
        return super()._path_open(str(local), *arguments, **options)
