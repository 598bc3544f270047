"""The formats reviews are read from, and which of them a file has."""

from collections.abc import Mapping

from beam_jobs.formats.avro import AVRO
from beam_jobs.formats.base import FileRange, Format
from beam_jobs.formats.compression import COMPRESSIONS, compression_suffix
from beam_jobs.formats.delimited import CSV, TSV
from beam_jobs.formats.lines import JSONL, TEXT
from beam_jobs.formats.parquet import PARQUET
from beam_jobs.formats.tfrecord import TFRECORD
from schemas.errors import UserError

__all__ = ["FORMATS", "FileRange", "Format", "format_of"]

FORMATS: Mapping[str, Format] = {
    known.name: known for known in (JSONL, CSV, TSV, TEXT, PARQUET, AVRO, TFRECORD)
}
"""Every format by its name."""

_FORMAT_BY_SUFFIX: Mapping[str, Format] = {
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".json": JSONL,
    ".csv": CSV,
    ".tsv": TSV,
    ".txt": TEXT,
    ".parquet": PARQUET,
    ".avro": AVRO,
    ".tfrecord": TFRECORD,
    ".tfrecords": TFRECORD,
}


def format_of(path: str, override: str = "") -> Format:
    """Finds the format of a file from its name.

    Args:
        path: the file; a suffix of compression is looked through.
        override: name of the format, where the user gave one for all files.

    Raises:
        UserError: the name or the override tells no format, the file is compressed around a format
            that compresses itself, or a package that the format needs is missing.
    """
    found = _named(override) if override else _by_suffix(path)
    compression = compression_suffix(path)
    if compression and found.self_compressed:
        raise UserError(f"{path}: {found.name} can't be read from {compression}; decompress it")
    found.check_installed()
    return found


def _named(name: str) -> Format:
    if name not in FORMATS:
        raise UserError(f"--input_format {name}: not one of {', '.join(FORMATS)}")
    return FORMATS[name]


def _by_suffix(path: str) -> Format:
    name = path.lower().removesuffix(compression_suffix(path))
    for suffix, found in _FORMAT_BY_SUFFIX.items():
        if name.endswith(suffix):
            return found
    suffixes, compressions = " ".join(_FORMAT_BY_SUFFIX), " ".join(COMPRESSIONS)
    raise UserError(
        f"{path}: its name tells no format; name it one of {suffixes} (then maybe one of "
        f"{compressions}), or give --input_format"
    )
