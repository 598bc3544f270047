import datetime
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fastavro
import pyarrow.parquet as pq
import pytest
from apache_beam.io.filesystem import BeamIOError
from apache_beam.testing import test_stream
from apache_beam.transforms.window import TimestampedValue

from beam_jobs import rows
from beam_jobs.rows import RowFormat
from beam_jobs.sinks import SUFFIXES
from beam_jobs.windowed_files import (
    FileNames,
    WriteWindowedFiles,
    finish,
    write_unfinished,
)
from beam_jobs.windows import Windowing
from schemas.field import Field, FieldType
from tests.beam_jobs.streams import streaming_pipeline

UTC = datetime.timezone.utc
TEN = datetime.datetime(2026, 11, 22, 10, tzinfo=UTC)
COLUMNS = (Field("name", FieldType.STRING, False), Field("event_time", FieldType.TIMESTAMP))
JSONL = RowFormat("jsonl", "Row", COLUMNS)
WINDOWING = Windowing(window_seconds=300, allowed_lateness_seconds=3_600)
ROWS = [{"name": name, "event_time": TEN} for name in "abcde"]


def write(
    directory: Path, elements: test_stream.TestStream, output_format: str = "jsonl", shards: int = 1
) -> None:
    sink = WriteWindowedFiles(
        str(directory), output_format, "Row", COLUMNS, WINDOWING, shards, "0123abcd"
    )
    with streaming_pipeline() as pipeline:
        _ = pipeline | elements | sink


def stream() -> test_stream.TestStream:
    """Time starts at ten, on the clock and for the watermark."""
    start = TEN.timestamp()
    return test_stream.TestStream().advance_processing_time(start).advance_watermark_to(start)


def row(name: str, minute: int) -> TimestampedValue:
    time = TEN + datetime.timedelta(minutes=minute)
    return TimestampedValue({"name": name, "event_time": time}, time.timestamp())


def after(minutes: float) -> float:
    return TEN.timestamp() + 60 * minutes


def read(path: Path) -> list[dict[str, Any]]:
    data = path.read_bytes()
    if path.suffix == ".parquet":
        return pq.read_table(path).to_pylist()
    if path.suffix == ".avro":
        with path.open("rb") as file:
            return list(fastavro.reader(file))  # type: ignore[arg-type]
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    rows = [json.loads(line) for line in text.decode().splitlines()]
    for values in rows:
        values["event_time"] = datetime.datetime.fromisoformat(
            values["event_time"].replace("Z", "+00:00")
        )
    return rows


def names_in(directory: Path) -> dict[str, str]:
    """The names of the rows in each file."""
    return {
        str(path.relative_to(directory)): "".join(sorted(row["name"] for row in read(path)))
        for path in directory.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("output_format", SUFFIXES)
def test_every_pane_of_every_window_is_a_file(tmp_path: Path, output_format: str) -> None:
    elements = (
        stream()
        .add_elements([row("a", 0), row("b", 59)])
        .add_elements([row("c", 4)])
        .advance_watermark_to(after(60))
        .add_elements([row("d", 1)])
        .advance_processing_time(301)
        .advance_watermark_to(after(30 * 24 * 60))
        .add_elements([row("e", 2), row("f", 61)])
        .advance_processing_time(301)
        .advance_watermark_to_infinity()
    )

    write(tmp_path, elements, output_format)

    end = f"00000-of-00001{SUFFIXES[output_format]}"
    assert names_in(tmp_path) == {
        f"dt=2026-11-22/hour=10/20261122T100000Z-0123abcd-0-{end}": "ac",
        f"dt=2026-11-22/hour=10/20261122T100000Z-0123abcd-1-{end}": "d",
        f"dt=2026-11-22/hour=10/20261122T100000Z-0123abcd-2-{end}": "e",
        f"dt=2026-11-22/hour=10/20261122T105500Z-0123abcd-0-{end}": "b",
        f"dt=2026-11-22/hour=11/20261122T110000Z-0123abcd-0-{end}": "f",
    }


def test_rows_are_dealt_out_among_the_files_of_a_window(tmp_path: Path) -> None:
    elements = stream()
    for names in ("abcdefghij", "klmnopqrst"):
        elements = elements.add_elements([row(name, 1) for name in names])

    write(tmp_path, elements.advance_watermark_to_infinity(), shards=4)

    files = names_in(tmp_path)
    assert sorted(Path(path).name for path in files) == [
        f"20261122T100000Z-0123abcd-0-0000{shard}-of-00004.jsonl" for shard in range(4)
    ]
    assert sorted("".join(files.values())) == list("abcdefghijklmnopqrst")
    assert all(4 <= len(names) <= 6 for names in files.values())


def test_a_trickle_of_late_rows_makes_few_files(tmp_path: Path) -> None:
    elements = stream().add_elements([row("a", 0)]).advance_watermark_to(after(6))
    for name in "bcdefghijkl":
        elements = elements.add_elements([row(name, 1)]).advance_processing_time(60)
    elements = elements.advance_processing_time(300).advance_watermark_to_infinity()

    write(tmp_path, elements)

    assert sorted(names_in(tmp_path).values()) == ["a", "bcdef", "ghijk", "l"]


def test_a_failing_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_off(value: Any) -> str:
        raise OSError("no space left")

    monkeypatch.setattr(rows, "json_line", break_off)
    with pytest.raises(OSError, match="no space left"):
        write(tmp_path, stream().add_elements([row("a", 0)]).advance_watermark_to_infinity())

    assert names_in(tmp_path) == {}


@pytest.mark.parametrize("output_format", SUFFIXES)
def test_rows_that_break_off_leave_nothing(tmp_path: Path, output_format: str) -> None:
    def breaking_off() -> Iterator[dict[str, Any]]:
        yield from ROWS
        assert [path.name[0] for path in tmp_path.iterdir()] == ["_"]
        raise OSError("lost the connection")

    with pytest.raises(OSError, match="lost the connection"):
        write_unfinished(
            f"{tmp_path}/rows{SUFFIXES[output_format]}",
            RowFormat(output_format, "Row", COLUMNS),
            breaking_off(),
        )

    assert list(tmp_path.iterdir()) == []


def test_a_repeated_step_ends_with_one_file(tmp_path: Path) -> None:
    path = f"{tmp_path}/rows.jsonl"

    overtaken, kept = (write_unfinished(path, JSONL, part) for part in (ROWS[:3], ROWS))
    assert not Path(path).exists()

    assert [finish(kept), finish(kept)] == [path, path]
    assert len(Path(path).read_text().splitlines()) == len(ROWS)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == sorted(
        [Path(overtaken.path).name, "rows.jsonl"]
    )


def test_query_engines_pass_over_an_unfinished_file(tmp_path: Path) -> None:
    unfinished = write_unfinished(
        f"{tmp_path}/rows.parquet", RowFormat("parquet", "R", COLUMNS), ROWS
    )

    assert list(tmp_path.glob("*.parquet")) == []
    assert pq.ParquetDataset(tmp_path).files == []
    finish(unfinished)
    assert pq.read_table(tmp_path).num_rows == len(ROWS)


def test_a_file_that_is_gone_is_an_error(tmp_path: Path) -> None:
    unfinished = write_unfinished(f"{tmp_path}/rows.jsonl", JSONL, ROWS)
    Path(unfinished.path).unlink()

    with pytest.raises(BeamIOError):
        finish(unfinished)


@pytest.mark.parametrize(
    ("start", "path"),
    [
        (TEN, "gs://b/scores/dt=2026-11-22/hour=10/20261122T100000Z-r-7-00002-of-00012.avro"),
        (
            datetime.datetime(1, 1, 1, tzinfo=UTC),
            "gs://b/scores/dt=0001-01-01/hour=00/00010101T000000Z-r-7-00002-of-00012.avro",
        ),
    ],
)
def test_names(start: datetime.datetime, path: str) -> None:
    names = FileNames("gs://b/scores", "r", 12, ".avro")

    assert names.path(start, pane=7, shard=2) == path
