import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from beam_jobs.formats import FileRange, base
from beam_jobs.formats.lines import JSONL, TEXT
from schemas.payload import Payload
from schemas.rejection import Reason, Rejection
from tests.beam_jobs.formats.files import outcomes, read

BOM = b"\xef\xbb\xbf"

contents = st.builds(
    lambda bom, lines, end: bom + b"".join(lines) + end,
    st.sampled_from([b"", BOM]),
    st.lists(
        st.builds(
            lambda line, ending: line.replace("\n", "").encode() + ending,
            st.text(max_size=12) | st.sampled_from(["", " ", "\r", "\ufeff"]),
            st.sampled_from([b"\n", b"\r\n"]),
        ),
        max_size=8,
    ),
    st.sampled_from([b"", b"no line end"]),
)


def expected_lines(content: bytes) -> list[tuple[str, bytes]]:
    """Offset and content of the lines that aren't blank."""
    found, offset = [], 0
    for number, line in enumerate(content.split(b"\n")):
        data = line.removeprefix(BOM) if number == 0 else line
        if data.strip():
            found.append((str(offset), data.rstrip(b"\r")))
        offset += len(line) + 1
    return found


@given(contents, st.integers(1, 40))
def test_ranges_hold_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, step: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "random.txt"
    path.write_bytes(content)

    items = read(path, step=step)

    assert [(item.origin.position, item.data) for item in items] == expected_lines(content)


def test_the_mark_at_the_start_of_jsonl_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "bom.jsonl"
    path.write_bytes(BOM + b'{"text": "good"}\r\n\r\n{"text": "bad"}')

    assert outcomes(read(path)) == [("0", "good"), ("23", "bad")]


def test_an_empty_file_has_no_reviews(tmp_path: Path) -> None:
    for content in (b"", BOM, b"\n", b"\r\n \n"):
        path = tmp_path / "empty.jsonl"
        path.write_bytes(content)
        assert read(path) == []


@pytest.mark.parametrize("over", [1, 2, 3, 100_000])
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("step", [0, 1000])
def test_a_long_line_is_rejected_and_reading_goes_on(
    over: int, ending: bytes, step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "RECORD_LIMIT_BYTES", 5000)
    path = tmp_path / "long.txt"
    long = b"x" * (5000 + over)
    path.write_bytes(b"before" + ending + long + ending + b"after" + ending)

    before, rejection, after = read(path, step=step)

    assert (before.data, after.data) == (b"before", b"after")
    assert isinstance(rejection, Rejection)
    assert rejection.reason is Reason.TOO_LARGE
    assert rejection.origin.position == str(len(b"before" + ending))
    assert rejection.payload_bytes == len(long)
    assert long.startswith(rejection.payload.encode())


def test_a_line_of_the_longest_length_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base, "RECORD_LIMIT_BYTES", 5000)
    path = tmp_path / "long.txt"
    path.write_bytes(b"x" * 4999 + b"\ny")

    assert [len(item.data) for item in read(path)] == [4999, 1]


def test_memory_does_not_grow_with_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "RECORD_LIMIT_BYTES", 1024 * 1024)
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        for _ in range(64):
            file.write(b"x" * 1024 * 1024)
        file.write(b"\nafter")
    tracemalloc.start()
    try:
        _, after = TEXT.read(FileRange(str(path)), ())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert isinstance(after, Payload)
    assert after.data == b"after"
    assert peak < 12e6


def test_fields_come_from_the_first_records(tmp_path: Path) -> None:
    path = tmp_path / "fields.jsonl"
    path.write_text(
        "broken\n"
        '{"text": "a", "id": 1, "stars": 4, "ok": true, "tags": [], "mixed": 1, "none": null}\n'
        '{"text": null, "id": 2, "stars": 4.5, "ok": false, "mixed": "one"}\n'
    )

    found = {name: kind.value for name, kind in JSONL.describe(str(path)).items()}

    assert found == {
        "text": "string",
        "id": "int64",
        "stars": "float64",
        "ok": "bool",
        "tags": "json",
        "mixed": "json",
        "none": "string",
    }


def test_text_has_no_fields(tmp_path: Path) -> None:
    path = tmp_path / "reviews.txt"
    path.write_text('{"text": "good"}\n')

    assert TEXT.describe(str(path)) == {}
