"""The output prefix: free before a run, readable after it."""

import re
from collections.abc import Iterator, Sequence

from apache_beam.io.filesystems import FileSystems

from beam_jobs.manifest import FILE_NAME, write_whole
from schemas.errors import UserError

_FOLDERS = ("scores", "rejected")
_OWN_NAME = re.compile(
    r"part-\d{5}-of-\d{5}\.(jsonl|jsonl\.gz|parquet|avro)|beam-temp-part-[0-9a-f]+/.*"
)


def check_output(prefix: str, inputs: Sequence[str], overwrite: bool) -> str:
    """Makes sure that a run may write under a prefix.

    Returns:
        The prefix.

    Raises:
        UserError: it holds a run and `overwrite` is off, it holds files of somebody else, it
            holds inputs, or it can't be written.
    """
    for path in inputs:
        if path.startswith(prefix + "/"):
            raise UserError(f"--output {prefix} holds the input {path}: choose another prefix")
    if FileSystems.exists(f"{prefix}/{FILE_NAME}") and not overwrite:
        raise UserError(
            f"--output {prefix} already holds a run: choose another prefix or add --overwrite"
        )
    for folder in _FOLDERS:
        for path in _files_in(prefix, folder):
            if not _OWN_NAME.fullmatch(path.removeprefix(f"{prefix}/{folder}/")):
                raise UserError(
                    f"--output {prefix}: {path} is not of this job and stands where its rows go; "
                    "move it or choose another prefix"
                )
    _check_writable(prefix)
    return prefix


def check_stream_output(prefix: str) -> None:
    """Makes sure that a streaming run may write under a prefix; earlier ones may have.

    Raises:
        UserError: it holds the run over files, or can't be written.
    """
    if FileSystems.exists(f"{prefix}/{FILE_NAME}"):
        raise UserError(f"--output {prefix} holds a run over files: choose another prefix")
    _check_writable(prefix)


def clear_output(prefix: str) -> None:
    """Deletes what an earlier run left under a prefix, its manifest first.

    Call `check_output` before: it makes sure that nothing else is there.
    """
    for path in _left_over(prefix):
        FileSystems.delete([path])


def _left_over(prefix: str) -> Iterator[str]:
    if FileSystems.exists(f"{prefix}/{FILE_NAME}"):
        yield f"{prefix}/{FILE_NAME}"
    for folder in _FOLDERS:
        yield from _files_in(prefix, folder)
        if FileSystems.exists(f"{prefix}/{folder}"):  # not in a bucket: it has no folders
            yield f"{prefix}/{folder}"


def _files_in(prefix: str, folder: str) -> list[str]:
    matched = FileSystems.match([f"{prefix}/{folder}/**"])[0].metadata_list
    return [metadata.path for metadata in matched]


def _check_writable(prefix: str) -> None:
    probe = f"{prefix}/.writable"
    try:
        write_whole(probe, "")
        FileSystems.delete([probe])
    except Exception as error:  # each filesystem has its own
        raise UserError(f"--output {prefix} can't be written: {error}") from error
