"""Hostile files, names, ids and models: none runs code, and none leads out of its folder."""

import datetime
import io
import json
import os
import pickle
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import fastavro
import hypothesis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import strategies

from beam_jobs.command_line import parse
from beam_jobs.formats import FileRange
from beam_jobs.formats.base import END_OF_FILE
from beam_jobs.options import INPUT_FORMATS
from beam_jobs.score_reviews import main
from beam_jobs.sources import read_range
from beam_jobs.windowed_files import FileNames
from model.card import CARD, parse_card
from model.remote import RemoteDirectory, RemoteFile, fetch
from model.savedmodel import load
from model.tokenizer import Tokenizer
from schemas.errors import UserError
from schemas.payload import Payload
from schemas.rejection import Rejection
from schemas.review import Review, ReviewFields, parse_review
from tests.beam_jobs.word_models import copy_model

FIELDS = ReviewFields(text="text", id="", kept=())
HOSTILE_NAMES = (
    *("../../x", "/etc/passwd", "gs://other/x", "..", ".", "a/../../b", "C:\\x", "~root", "-rf"),
    *("{0.__class__.__mro__}", "%s%n", "$(touch x)", "`touch x`", "; touch x", "=cmd()", "a\nb"),
    *("a\0b", "\u202etxt.exe", "dt=1", "scores", "manifest.json", "x" * 1_000),
)


class Payloads:
    """Runs a command as soon as it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, (f"touch {self._marker}",)


@pytest.fixture
def trap(tmp_path: Path) -> tuple[bytes, Path]:
    """A pickle, and the file that it leaves when somebody unpickles it."""
    data, marker = pickle.dumps(Payloads(tmp_path / "marker")), tmp_path / "marker"
    pickle.loads(data)
    assert marker.exists()
    marker.unlink()
    return data, marker


def read(path: Path) -> list[Review | Rejection]:
    """What becomes of the records of a file."""
    found = read_range(FileRange(str(path), 0, END_OF_FILE), ["text"], "")
    return [parse_review(one, FIELDS) if isinstance(one, Payload) else one for one in found]


@pytest.mark.parametrize("name", INPUT_FORMATS)
def test_a_pickle_is_no_input(name: str, tmp_path: Path, trap: tuple[bytes, Path]) -> None:
    data, marker = trap
    path = tmp_path / f"in.{'txt' if name == 'text' else name}"
    for contents in (data, b"text\n" + data, data + b"\n" + data):
        path.write_bytes(contents)
        reviews = []
        with suppress(UserError):  # which is one line, see tests/integration/test_bad_input.py
            reviews = [one for one in read(path) if isinstance(one, Review)]
        assert name == "text" or not reviews
        assert not marker.exists()


def test_a_type_of_arrow_that_holds_a_pickle(tmp_path: Path, trap: tuple[bytes, Path]) -> None:
    """Releases of pyarrow before 14.0.1 unpickled it: CVE-2023-47248."""
    data, marker = trap
    metadata = {
        b"ARROW:extension:name": b"arrow.py_extension_type",
        b"ARROW:extension:metadata": data,
    }
    schema = pa.schema([pa.field("text", pa.string(), metadata=metadata)])
    pq.write_table(pa.table({"text": ["fine"]}, schema=schema), tmp_path / "in.parquet")

    (review,) = read(tmp_path / "in.parquet")

    assert isinstance(review, Review)
    assert review.text == "fine"
    assert not marker.exists()


@pytest.mark.parametrize("name", ["__class__", "../../xyz", "{0.__ini}", "a b\\n c d", "$(touch)x"])
def test_names_in_an_avro_schema(name: str, tmp_path: Path) -> None:
    placeholder = "placehold"
    fields = [{"name": "text", "type": "string"}, {"name": placeholder, "type": "string"}]
    out = io.BytesIO()
    schema = fastavro.parse_schema({"type": "record", "name": "R", "fields": fields})
    fastavro.writer(out, schema, [{"text": "fine", placeholder: "x"}])
    assert len(name.ljust(9)) == len(placeholder)
    path = tmp_path / "in.avro"
    path.write_bytes(out.getvalue().replace(placeholder.encode(), name.ljust(9).encode()))

    (found,) = read(path)

    assert isinstance(found, Rejection) or found.text == "fine"


@pytest.mark.parametrize("name", ["saved_model.pb", "model.keras", "variables/variables.index"])
def test_a_pickle_is_no_model(
    name: str, tmp_path: Path, exported: Callable[[float], Path], trap: tuple[bytes, Path]
) -> None:
    data, marker = trap
    copy_model(exported(1.0), tmp_path / "model")
    (tmp_path / "model" / name).write_bytes(data)

    if name == "model.keras":
        load(tmp_path / "model")
    else:
        with pytest.raises(UserError, match=r"^can't load model [^\n]*$"):
            load(tmp_path / "model")

    assert not marker.exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "two\nlines"),
        ("name", "a\0b"),
        ("name", "x" * 10_000),
        ("name", 7),
        ("max_length", 10**100),
        ("max_length", 1e9),
        ("max_length", True),
        ("truncation", {"head_share": float("nan")}),
        ("truncation", []),
        ("labels", {"__class__": 1, "x": 2, "y": 3}),
        ("lower_case", "yes"),
    ],
)
def test_an_impossible_card_is_one_line(
    key: str, value: object, tmp_path: Path, exported: Callable[[float], Path]
) -> None:
    copy_model(exported(1.0), tmp_path / "model")
    path = tmp_path / "model" / CARD
    path.write_text(json.dumps({**json.loads(path.read_text()), key: value}))

    with pytest.raises(UserError, match=r"^broken model card [^\n]{,1000}; export") as error:
        load(tmp_path / "model")
    assert len(str(error.value)) < 1_000


def test_a_deep_card_is_one_line(tmp_path: Path, exported: Callable[[float], Path]) -> None:
    copy_model(exported(1.0), tmp_path / "model")
    (tmp_path / "model" / CARD).write_text("[" * 100_000)

    with pytest.raises(UserError, match=r"^broken model card [^\n]*; export"):
        load(tmp_path / "model")


def test_a_name_from_a_card_is_taken_as_it_is(exported: Callable[[float], Path]) -> None:
    raw = json.loads((exported(1.0) / CARD).read_text())

    for name in HOSTILE_NAMES:
        if name.isprintable() and len(name) <= 256:
            assert parse_card({**raw, "name": name}).name == name


def test_words_of_a_vocabulary_are_words(tmp_path: Path) -> None:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "good", "{0.__class__}", "$(touch", "%s"]
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(words) + "\n", "utf-8")

    tokens = Tokenizer(path, True, 8, head_share=1.0).tokenize(["good {0.__class__}"])

    assert tokens.values.tolist()[:2] == [words.index("[CLS]"), words.index("good")]
    assert set(tokens.values.tolist()) <= set(range(len(words)))


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "a/..", "a\0b", ".."])
def test_objects_that_lead_out_of_a_model(name: str, tmp_path: Path) -> None:
    file = RemoteFile(name, 1, "", "1")
    downloaded: list[object] = []
    remote = RemoteDirectory("gs://b/m", [file], lambda *given: downloaded.append(given))

    with pytest.raises(UserError, match=r"^gs://b/m holds '[^\n]*', which .*: rename it$"):
        fetch(remote, tmp_path / "model")

    assert not downloaded
    assert not any(tmp_path.rglob("*"))


@pytest.mark.parametrize(
    "prefix", ["runs/*", "run?", "run[1]", "run\\s", "a\nb", "a\0b", "a\udcff"]
)
@pytest.mark.parametrize("flag", ["--input", "--input_subscription"])
def test_an_output_that_could_stand_for_other_folders_is_refused(prefix: str, flag: str) -> None:
    source = "in.jsonl" if flag == "--input" else "projects/project/subscriptions/name"

    with pytest.raises(UserError, match=r"^--output '[^\n]*' holds [^\n]*: choose") as error:
        parse([flag, source, "--output", prefix])
    str(error.value).encode()


def test_an_output_of_days_is_none_of_these() -> None:
    parse(["--input", "in/{date}", "--output", "out/{date:%Y/%m}", "--date", "today"])


def test_ids_and_names_of_files_are_no_paths(tmp_path: Path) -> None:
    """Files of hostile names, with hostile ids and columns in them."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    rows = [{"id": name, "text": "Fine.", "dt": name} for name in HOSTILE_NAMES]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    names = ["%2e%2e.jsonl", "-rf.jsonl", "..jsonl", "{0}.jsonl", "$(x).jsonl", "gs:.jsonl"]
    for name in names:
        (folder / name).write_text(lines, "utf-8")
    before = set(tmp_path.rglob("*"))
    arguments = ["--input", f"{folder}/*", "--output", str(out), "--id_field", "id", "--quiet"]

    assert main([*arguments, "--keep_fields", "../../x=dt", "dt", "hour=id"]) == 0

    written = {path for path in set(tmp_path.rglob("*")) - before if path.is_file()}
    scores = sorted(path for path in written if path.name != "manifest.json")
    assert {path.parent for path in scores} == {out / "scores", out / "rejected"}
    assert all(path.name.startswith("part-0") for path in scores)
    found = [json.loads(line) for path in scores for line in path.read_text("utf-8").splitlines()]
    assert sorted(row["review_id"] for row in found) == sorted(HOSTILE_NAMES * len(names))
    assert all(row["../../x"] == row["dt"] == row["hour"] == row["review_id"] for row in found)
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert {Path(one) for kind in manifest["files"].values() for one in kind} == set(scores)


@hypothesis.given(
    strategies.datetimes(timezones=strategies.just(datetime.timezone.utc)),
    strategies.integers(0, 10**9),
    strategies.integers(0, 10**5),
)
def test_files_of_windows_stay_in_their_folder(
    start: datetime.datetime, pane: int, shard: int
) -> None:
    path = Path(FileNames("/out/scores", "0123abcd", 7, ".jsonl").path(start, pane, shard))

    assert ".." not in path.parts
    assert path.parents[2] == Path("/out/scores")
