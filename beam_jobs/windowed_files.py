"""Rows -> files, a few for each window of event time."""

import datetime
import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import apache_beam as beam
from apache_beam.io.filesystem import BeamIOError, CompressionTypes
from apache_beam.io.filesystems import FileSystems
from apache_beam.transforms.window import GlobalWindows, IntervalWindow
from apache_beam.utils.windowed_value import PaneInfo

from beam_jobs.rows import Row, RowFormat, write_rows
from beam_jobs.sinks import SUFFIXES
from beam_jobs.windows import IntoWindows, Windowing, utc
from schemas.field import Field


class Unfinished(NamedTuple):
    """A file that is whole, but not yet under its name.

    Attributes:
        path: where it is: beside its place, under a name that query engines pass over.
        final_path: where it belongs.
    """

    path: str
    final_path: str


@dataclass
class WriteWindowedFiles(beam.PTransform):
    """Writes rows to files by the window that their timestamp falls in.

    `<directory>/dt=2026-11-22/hour=10/20261122T100500Z-<run>-<pane>-<SSSSS>-of-<NNNNN><suffix>` is
    a file of the window that starts at that time, in UTC. Pane 0 is written when the window is
    over, pane 1 and so on for what comes later. A file appears under its name only when it is
    complete, and holds the same rows however often a step is repeated.

    Takes a PCollection of dicts; gives one of the paths written.

    Attributes:
        directory: folder or bucket prefix, without a slash at its end.
        format: a key of `SUFFIXES`.
        record: what a row is, such as `Score`; Avro names records.
        columns: names and types of the values of a row.
        windowing: length of windows, and how late rows can be.
        files_per_window: number of files that the rows of a pane are divided among.
        run: part of each name, so that no run replaces the files of another.
    """

    directory: str
    format: str
    record: str
    columns: Sequence[Field]
    windowing: Windowing
    files_per_window: int
    run: str

    def expand(self, rows: beam.PCollection) -> beam.PCollection:
        row_format = RowFormat(self.format, self.record, self.columns)
        names = FileNames(self.directory, self.run, self.files_per_window, SUFFIXES[self.format])
        return (
            rows
            | "IntoWindows" >> IntoWindows(self.windowing)
            | "ToShards" >> beam.ParDo(_ToShards(self.files_per_window))
            | "GroupShards" >> beam.GroupByKey()
            | "WriteUnfinished" >> beam.ParDo(_WriteUnfinished(row_format, names))
            # The local runner drops what is late from a Reshuffle in any other window.
            | "OutOfWindows" >> beam.WindowInto(GlobalWindows())
            # Where an attempt was repeated or overtaken, only one of its files goes on from here.
            | "CommitFiles" >> beam.Reshuffle()
            | "FinishFiles" >> beam.Map(finish)
        )


class FileNames(NamedTuple):
    """How files are named.

    Attributes:
        directory: folder or bucket prefix, without a slash at its end.
        run: part of each name.
        shards: number of files of a pane.
        suffix: end of each name, with its dot.
    """

    directory: str
    run: str
    shards: int
    suffix: str

    def path(self, start: datetime.datetime, pane: int, shard: int) -> str:
        """The path of a file.

        Args:
            start: of its window, in UTC.
            pane: which pane of the window, from 0.
            shard: which file of the pane, from 0.
        """
        date = start.date().isoformat()
        time = f"{date.replace('-', '')}T{start:%H%M%S}Z"
        name = f"{time}-{self.run}-{pane}-{shard:05}-of-{self.shards:05}{self.suffix}"
        return f"{self.directory}/dt={date}/hour={start:%H}/{name}"


class _ToShards(beam.DoFn):
    """Deals rows out in turn, from a random start: bundles may be smaller than a round."""

    def __init__(self, shards: int) -> None:
        self._shards = shards

    def start_bundle(self) -> None:
        self._next = random.randrange(self._shards)

    def process(self, row: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        yield self._next, row
        self._next = (self._next + 1) % self._shards


class _WriteUnfinished(beam.DoFn):
    def __init__(self, row_format: RowFormat, names: FileNames) -> None:
        self._format = row_format
        self._names = names

    def process(
        self,
        shard: tuple[int, Iterable[Row]],
        window: IntervalWindow = beam.DoFn.WindowParam,  # type: ignore[assignment]
        pane: PaneInfo = beam.DoFn.PaneInfoParam,  # type: ignore[assignment]
    ) -> Iterator[Unfinished]:
        number, rows = shard
        path = self._names.path(utc(window.start.micros), pane.index, number)
        yield write_unfinished(path, self._format, rows)


def write_unfinished(path: str, row_format: RowFormat, rows: Iterable[Row]) -> Unfinished:
    """Writes rows to a file beside the place where it belongs.

    Every call writes another file. What was written before an error is deleted again.
    """
    folder, _, name = path.rpartition("/")
    unfinished = f"{folder}/_{name}.{uuid.uuid4().hex}.unfinished"
    gzip = row_format.name.endswith(".gz")
    compression = CompressionTypes.GZIP if gzip else CompressionTypes.UNCOMPRESSED
    try:
        with FileSystems.create(unfinished, compression_type=compression) as file:
            write_rows(file, row_format, rows)
    except BaseException:
        with suppress(BeamIOError):
            FileSystems.delete([unfinished])
        raise
    return Unfinished(unfinished, path)


def finish(unfinished: Unfinished) -> str:
    """Gives a file its name; once, however often it is asked to.

    Returns:
        The path.
    """
    path, final_path = unfinished
    try:
        FileSystems.rename([path], [final_path])
    except BeamIOError:
        done_before = FileSystems.exists(final_path) and not FileSystems.exists(path)
        if not done_before:
            raise
    return final_path
