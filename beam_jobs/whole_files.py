"""Files that are never seen in part."""

import uuid
from contextlib import suppress

from apache_beam.io.filesystems import FileSystems


def write_whole(path: str, text: str) -> None:
    """Writes a file that is there as a whole or not at all, or still as it was before.

    Objects of Cloud Storage are so by themselves; a rename would copy them and then delete the
    other, and leave both where a job is killed in between. Files get another name first.

    Args:
        path: a path, or a URL of one of Beam's file systems.
        text: the content.
    """
    if path.startswith("gs://"):
        _write(path, text.encode("utf-8"))
        return
    unfinished = f"{path}.{uuid.uuid4().hex}.unfinished"
    try:
        _write(unfinished, text.encode("utf-8"))
        FileSystems.rename([unfinished], [path])
    except BaseException:
        with suppress(Exception):
            FileSystems.delete([unfinished])
        raise


def _write(path: str, content: bytes) -> None:
    with FileSystems.create(path, mime_type="application/json") as file:
        file.write(content)
