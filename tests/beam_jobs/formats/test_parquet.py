import datetime
import decimal
import io
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from apache_beam.io.filesystems import FileSystems

from beam_jobs.formats import FileRange
from beam_jobs.formats.parquet import PARQUET
from schemas.errors import UserError
from schemas.rejection import Reason, Rejection
from tests.beam_jobs.formats import files
from tests.beam_jobs.formats.files import movie_reviews, outcomes, read, texts_by_position
from tests.beam_jobs.formats.test_formats import BrokenStorage

CHANGE_EACH_BIT = """
import io, sys
import pyarrow as pa, pyarrow.parquet as pq
from tests.fuzz.binary import broken_parquet
buffer = io.BytesIO()
pq.write_table(pa.table({"text": ["good", "bad"]}), buffer)
for bit in range(8 * len(buffer.getvalue())):
    changed = bytearray(buffer.getvalue())
    changed[bit // 8] ^= 1 << bit % 8
    broken_parquet(bytes(changed))
print(bit)
"""

UTC = datetime.timezone.utc
ID = uuid.UUID("12345678-1234-5678-1234-567812345678")

COLUMNS: dict[str, tuple[pa.Array, str, Any]] = {
    "int": (pa.array([7], pa.uint8()), "int64", 7),
    "half": (pa.array([np.float16(0.5)], pa.float16()), "float64", 0.5),
    "double": (pa.array([0.25]), "float64", 0.25),
    "bool": (pa.array([True]), "bool", True),
    "string": (pa.array(["a"], pa.large_string()), "string", "a"),
    "bytes": (pa.array([b"a"]), "string", b"a"),
    "enum": (pa.array(["a"]).dictionary_encode(), "string", "a"),
    "uuid": (pa.array([ID.bytes], pa.uuid()), "string", str(ID)),
    "null": (pa.nulls(1), "string", None),
    "nanos": (
        pa.array([1_000_000_001_001], pa.timestamp("ns")),
        "timestamp",
        datetime.datetime(1970, 1, 1, 0, 16, 40, 1),
    ),
    "zoned": (
        pa.array([1_000], pa.timestamp("ms", "America/New_York")),
        "timestamp",
        datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC),
    ),
    "date": (pa.array([1], pa.date32()), "date", datetime.date(1970, 1, 2)),
    "list": (pa.array([[1, 2]]), "json", [1, 2]),
    "struct": (pa.array([{"a": 1}]), "json", {"a": 1}),
    "decimal": (pa.array([decimal.Decimal("1.5")]), "json", decimal.Decimal("1.5")),
    "a.b": (pa.array([3]), "int64", 3),
}


def write(folder: Path, content: bytes) -> Path:
    path = folder / "reviews.parquet"
    path.write_bytes(content)
    return path


def test_types_and_values(tmp_path: Path) -> None:
    path = tmp_path / "types.parquet"
    pq.write_table(pa.table({name: column for name, (column, _, _) in COLUMNS.items()}), path)

    fields = {name: kind.value for name, kind in PARQUET.describe(str(path)).items()}
    (payload,) = read(path, columns=list(COLUMNS))

    assert fields == {name: kind for name, (_, kind, _) in COLUMNS.items()}
    assert payload.data == {name: value for name, (_, _, value) in COLUMNS.items()}


def test_only_needed_columns_are_read(tmp_path: Path) -> None:
    path = write(tmp_path, files.parquet(["good", "bad"]))

    assert [item.data for item in read(path, columns=["text"])] == [
        {"text": "good"},
        {"text": "bad"},
    ]
    assert [item.data for item in read(path, columns=["missing"])] == [{}, {}]


def test_old_timestamps_are_read(tmp_path: Path) -> None:
    moment = datetime.datetime(2024, 5, 1, 12)
    out = io.BytesIO()
    pq.write_table(pa.table({"t": [moment]}), out, use_deprecated_int96_timestamps=True)

    assert [item.data for item in read(write(tmp_path, out.getvalue()), columns=["t"])] == [
        {"t": moment}
    ]


def test_a_value_out_of_range_costs_one_row(tmp_path: Path) -> None:
    times = pa.array([0, 2**60, 0], pa.timestamp("us"))
    out = io.BytesIO()
    pq.write_table(pa.table({"text": ["a", "b", "c"], "n": times}), out)

    items = read(write(tmp_path, out.getvalue()))

    assert [item.origin.position for item in items] == ["0", "1", "2"]
    assert [isinstance(item, Rejection) for item in items] == [False, True, False]
    assert items[1].reason is Reason.MALFORMED_RECORD


def test_text_that_is_not_utf8_costs_one_row(tmp_path: Path) -> None:
    texts = pa.array([b"good", b"b\xe9te", b"bad"]).view(pa.string())
    out = io.BytesIO()
    pq.write_table(pa.table({"text": texts}), out)

    items = read(write(tmp_path, out.getvalue()))

    assert outcomes(items) == [("0", "good"), ("1", "not_utf8"), ("2", "bad")]


@pytest.mark.parametrize("step", [0, 3000])
def test_a_broken_page_ends_the_reading_at_its_first_row(step: int, tmp_path: Path) -> None:
    texts = [f"review {number}: {number * 7919 % 1000 / 7}" for number in range(3000)]
    content = bytearray(
        files.parquet(
            texts,
            row_group_size=2000,
            data_page_size=2048,
            write_batch_size=10,
            use_dictionary=False,
            compression="none",
            write_page_checksum=True,
        )
    )
    place = content.index(b"review 1500:")
    content[place] ^= 1
    whole = [str(number) for number in range(3000)]

    items = read(write(tmp_path, bytes(content)), step=step, columns=["text"])

    (rejection,) = [item for item in items if isinstance(item, Rejection)]
    stopped = int(rejection.origin.position)
    assert rejection.reason is Reason.UNREADABLE_FILE
    assert 1300 < stopped <= 1500
    reviews = texts_by_position(item for item in items if item is not rejection)
    # Another range goes on with the row group that starts in it.
    assert list(reviews) == whole[:stopped] + (whole[2000:] if step else [])


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", b"PAR1" + b"\0" * 500 + b"PAR1", files.parquet(movie_reviews(20))[:-9]],
    ids=["empty", "junk", "hollow", "cut"],
)
def test_a_file_that_is_no_parquet_is_reported_once(content: bytes, tmp_path: Path) -> None:
    path = write(tmp_path, content)

    for step in (0, 100):
        assert outcomes(read(path, step=step)) == [("0", "unreadable_file")]
    with pytest.raises(UserError, match="It is not Parquet"):
        PARQUET.describe(str(path))


def test_a_storage_that_fails_later_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, files.parquet(movie_reviews(20)))
    reads = 0

    class FailsLater(BrokenStorage):
        def read(self, size: int) -> bytes:
            nonlocal reads
            reads += 1
            self._working_bytes = 2**40 if reads == 1 else 0
            return super().read(size)

    def fail(path: str, **_: Any) -> BrokenStorage:
        return FailsLater(path, 0)

    monkeypatch.setattr(FileSystems, "open", fail)
    monkeypatch.setattr("beam_jobs.formats.streams.BUFFER_BYTES", 512)

    with pytest.raises(ConnectionResetError):
        list(PARQUET.read(FileRange(str(path)), ("text",)))
    assert reads > 1


def test_no_damage_ends_the_process() -> None:
    """Where pyarrow fails to look out for an error of its library, the process dies of it."""
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", CHANGE_EACH_BIT]

    done = subprocess.run(command, cwd=root, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) > 1_000
