"""Inputs that make the whole call wrong: one clear line, and nothing is written."""

import gzip
import os
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bad_input import avro_files, parquet_files, tfrecord_files
from tests.bad_input.kinds import BadCall, BadFile

_GOOD = b'{"id": "a", "text": "Nice.", "stars": 5}\n'


def _holding(contents: Mapping[str, bytes]) -> Callable[[Path], None]:
    """Makes files of these names and contents."""

    def make(folder: Path) -> None:
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)

    return make


def _socket(folder: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    before = os.open(".", os.O_RDONLY)
    os.chdir(folder)  # a socket's whole name may have no more than a hundred bytes
    server.bind("a.jsonl")
    os.fchdir(before)
    os.close(before)
    server.close()


def _links(folder: Path) -> None:
    (folder / "a.jsonl").symlink_to("b.jsonl")
    (folder / "b.jsonl").symlink_to("a.jsonl")


def _with_name_in_latin_1(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.jsonl")).write_bytes(_GOOD)


_A_GOOD_FILE = _holding({"a.jsonl": _GOOD})


def _call(name: str, contents: Mapping[str, bytes], message: str, *arguments: str) -> BadCall:
    return BadCall(name, _holding(contents), ["--input", "*", *arguments], message)


_NO_FILE = [
    BadCall("a directory", lambda f: (f / "a.jsonl").mkdir(), ["--input", "a.jsonl"], "is a dir"),
    BadCall("a named pipe", lambda f: os.mkfifo(f / "a.jsonl"), ["--input", "*"], "is a pipe"),
    BadCall("a socket", _socket, ["--input", "*"], "is a pipe, socket or device"),
    BadCall(
        "a device",
        lambda folder: (folder / "a.jsonl").symlink_to("/dev/null"),
        ["--input", "a.jsonl"],
        "is a pipe, socket or device",
    ),
    BadCall(
        "a link to nothing",
        lambda folder: (folder / "a.jsonl").symlink_to("absent"),
        ["--input", "a.jsonl"],
        "no file matches",
    ),
    BadCall("links in a circle", _links, ["--input", "a.jsonl"], "no file matches"),
    BadCall("nothing", lambda folder: None, ["--input", "*.jsonl"], "no file matches"),
    BadCall("one pattern too many", _A_GOOD_FILE, ["--input", "*", "b*"], "--input b*: no file"),
    BadCall("a pattern that closes no bracket", _A_GOOD_FILE, ["--input", "[a"], "no file matches"),
    BadCall("a pattern of the parent", _A_GOOD_FILE, ["--input", "../absent/*"], "no file matches"),
    BadCall("a NUL in a pattern", _A_GOOD_FILE, ["--input", "a\0b"], "no file matches"),
    BadCall("a URL of nowhere", _A_GOOD_FILE, ["--input", "nowhere://a/b"], "can't be looked up"),
    BadCall("a URL without a bucket", _A_GOOD_FILE, ["--input", "gs://"], "names no bucket"),
    BadCall("an empty pattern", _A_GOOD_FILE, ["--input", ""], "--input is empty"),
]

if sys.platform == "linux":  # others take no such names
    _NO_FILE.append(
        BadCall(
            "a name in Latin-1",
            _with_name_in_latin_1,
            ["--input", "*"],
            "caf\\udce9.jsonl: its name is not UTF-8",
        )
    )

_NO_FORMAT = [
    _call("a name without a suffix", {"reviews": _GOOD}, "reviews: its name tells no format"),
    _call("a name of two lines", {"two\nlines": _GOOD}, "two lines: its name tells no format"),
    _call("an unknown suffix", {"a.xlsx": b"PK"}, "a.xlsx: its name tells no format"),
    _call("a compressed tar", {"a.tar.gz": b""}, "a.tar.gz: its name tells no format"),
    _call("an unknown compression", {"a.jsonl.xz": b""}, "a.jsonl.xz: its name tells no format"),
    _call("nothing but a compression", {"a.gz": gzip.compress(_GOOD)}, "a.gz: its name tells no"),
    _call("a marker of Hadoop", {"a.jsonl": _GOOD, "_SUCCESS": b""}, "_SUCCESS: its name tells no"),
    _call("a backup of an editor", {"a.jsonl~": _GOOD}, "a.jsonl~: its name tells no format"),
    _call("compressed Parquet", {"a.parquet.gz": b"\x1f"}, "parquet can't be read from .gz"),
    _call("compressed Avro", {"a.avro.bz2": b"BZ"}, "avro can't be read from .bz2"),
    _call(
        "JSONL taken for Parquet",
        {"a.jsonl": _GOOD},
        "It is not Parquet",
        "--input_format",
        "parquet",
    ),
    _call("JSONL taken for Avro", {"a.jsonl": _GOOD}, "It is not Avro", "--input_format", "avro"),
    _call(
        "JSONL taken for CSV", {"a.jsonl": _GOOD}, "'text' is not a field", "--input_format", "csv"
    ),
    _call(
        "JSONL taken for TFRecord",
        {"a.jsonl": _GOOD},
        "it is not TFRecord",
        "--input_format",
        "tfrecord",
    ),
    _call(
        "a format of no name",
        {"a.jsonl": _GOOD},
        "--input_format 'xml' is unknown",
        "--input_format",
        "xml",
    ),
]

_NO_FIELD = [
    _call("no text in JSONL", {"a.jsonl": b'{"body": "N."}\n'}, "'text' is not a field of"),
    _call("no text in CSV", {"a.csv": b"id,body\na,N.\n"}, "its fields are id, body"),
    _call("no text in TSV", {"a.tsv": b"id\tbody\na\tN.\n"}, "its fields are id, body"),
    _call(
        "no field of the id",
        {"a.jsonl": b'{"text": "N."}\n'},
        "--id_field 'id' is not a field",
        "--id_field",
        "id",
    ),
    _call(
        "no kept field",
        {"a.jsonl": _GOOD},
        "--keep_fields 'day' is not a field",
        "--keep_fields",
        "day",
    ),
    _call(
        "a kept field of two types",
        {"a.jsonl": _GOOD, "b.csv": b"text,stars\nN.,5\n"},
        "its type is int64 and string in",
        *("--keep_fields", "stars"),
    ),
    _call(
        "a kept field named like a column",
        {"a.jsonl": b'{"text": "N.", "label": 1}\n'},
        "score rows already have a column",
        *("--keep_fields", "label"),
    ),
    _call(
        "a kept field that Avro can't name",
        {"a.jsonl": b'{"text": "N.", "a-b": 1}\n'},
        "Avro takes names of letters",
        *("--keep_fields", "a-b", "--output_format", "avro"),
    ),
]


def _alone(file: BadFile, message: str) -> BadCall:
    """A file that does no harm among others, but can't tell the fields of an input by itself."""
    return _call(f"{file.name}, alone", {f"a{file.suffix}": file.content}, message)


def _named(files: list[BadFile], name: str) -> BadFile:
    return next(file for file in files if file.name == name)


_UNUSABLE = [
    _alone(_named(parquet_files.FILES, "Parquet cut in half"), "It is not Parquet, or its footer"),
    _alone(_named(parquet_files.FILES, "Parquet without text"), "its fields are body"),
    _alone(_named(avro_files.FILES, "Avro cut within its header"), "It is not Avro, or its header"),
    _alone(_named(avro_files.FILES, "Avro of an unknown codec"), "is not installed"),
    _alone(_named(tfrecord_files.FILES, "TFRecord that is JSONL"), "A checksum does not fit"),
    _call("half a gzip, alone", {"a.jsonl.gz": gzip.compress(_GOOD)[:20]}, "ends too early"),
    _call("a gzip that is none, alone", {"a.csv.gz": b"id,text\n"}, "gzip data is corrupt"),
    _call("a zstd that is none, alone", {"a.tsv.zst": b"id,text\n"}, "zstd data is corrupt"),
    _call("a header with a name twice, alone", {"a.csv": b"text,text\n"}, "have the same name"),
    _call("a header without a name, alone", {"a.csv": b"text,\n"}, "has no name"),
    _call("an open quote in a header, alone", {"a.csv": b'"text\n'}, "Its header is no CSV"),
]

CALLS = [*_NO_FILE, *_NO_FORMAT, *_NO_FIELD, *_UNUSABLE]
