"""The output prefix: free before a run, readable after it."""

import re
from collections.abc import Iterator, Sequence

from apache_beam.io.filesystems import FileSystems

from beam_jobs.manifest import FILE_NAME
from beam_jobs.options import check_no_pattern
from beam_jobs.storage_errors import WRITER, check_url, storage_explained
from beam_jobs.whole_files import write_whole
from schemas.errors import UserError

_FOLDERS = ("scores", "rejected")
_PROBE = ".writable"
_OWN_NAME = re.compile(
    r"part-\d{5}-of-\d{5}\.(jsonl|jsonl\.gz|parquet|avro)|beam-temp-part-[0-9a-f]+/.*"
)


def check_output(prefix: str, inputs: Sequence[str], overwrite: bool) -> str:
    """Makes sure that a run may write under a prefix.

    Returns:
        The prefix.

    Raises:
        UserError: it holds a run and `overwrite` is off, it holds files of somebody else, it
            holds inputs, or it can't be looked up.
    """
    _check_name(prefix)
    for path in inputs:
        if path.startswith(prefix + "/"):
            raise UserError(f"--output {prefix} holds the input {path}: choose another prefix")
    with storage_explained("--output", prefix, WRITER):
        if FileSystems.exists(f"{prefix}/{FILE_NAME}") and not overwrite:
            raise UserError(
                f"--output {prefix} already holds a run: choose another prefix or add --overwrite"
            )
        _check_own(prefix)
    return prefix


def check_stream_output(prefix: str) -> None:
    """Makes sure that a streaming run may write under a prefix; earlier ones may have.

    Raises:
        UserError: it holds the run over files, or can't be looked up.
    """
    _check_name(prefix)
    with storage_explained("--output", prefix, WRITER):
        if FileSystems.exists(f"{prefix}/{FILE_NAME}"):
            raise UserError(f"--output {prefix} holds a run over files: choose another prefix")


def _check_name(prefix: str) -> None:
    check_url("--output", prefix, "gs://BUCKET/FOLDER")
    check_no_pattern(prefix)


def check_writable(prefix: str) -> None:
    """Makes sure that files can be written under a prefix, by writing one for a moment.

    Raises:
        UserError: they can't.
    """
    probe = f"{prefix}/{_PROBE}"
    try:
        with storage_explained("--output", prefix, WRITER):
            write_whole(probe, "")
            FileSystems.delete([probe])
    except UserError:
        raise
    except Exception as error:  # each filesystem has its own
        raise UserError(f"--output {prefix} can't be written: {error}") from error


def clear_output(prefix: str) -> None:
    """Deletes what an earlier run left under a prefix, its manifest first.

    Call `check_output` before: it makes sure that nothing else is there.

    Raises:
        UserError: objects of a bucket can't be deleted.
    """
    with storage_explained("--output", prefix, WRITER):
        for pattern in _own_patterns(prefix):
            if _matching(pattern):
                FileSystems.delete([pattern])
        for folder in _FOLDERS:
            if FileSystems.exists(f"{prefix}/{folder}"):  # not in a bucket: it has no folders
                FileSystems.delete([f"{prefix}/{folder}"])


def _own_patterns(prefix: str) -> Iterator[str]:
    yield f"{prefix}/{FILE_NAME}"
    for name in (FILE_NAME, _PROBE):  # of runs that ended while they wrote these
        yield f"{prefix}/{name}.*.unfinished"
    for folder in _FOLDERS:
        yield f"{prefix}/{folder}/**"


def _matching(pattern: str) -> list[str]:
    return [file.path for file in FileSystems.match([pattern])[0].metadata_list]


def _check_own(prefix: str) -> None:
    for folder in _FOLDERS:
        for path in _matching(f"{prefix}/{folder}/**"):
            if not _OWN_NAME.fullmatch(path.removeprefix(f"{prefix}/{folder}/")):
                raise UserError(
                    f"--output {prefix}: {path} is not of this job and stands where its rows go; "
                    "move it or choose another prefix"
                )
