"""What a training is made from, at hand and checked before TensorFlow is imported."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from model.card import read_card
from model.data import DataSet, PartCounts, Reviews, all_at_hand, count_parts
from model.encoder_sources import EncoderSource, encoder_at_hand
from model.fingerprint import fingerprint, model_identity
from model.inputs import directory_at_hand
from model.options import Options


@dataclass(frozen=True)
class Teacher:
    """A model that is learnt from.

    Attributes:
        directory: where it is, on local disk.
        identity: its name and the beginning of its fingerprint.
    """

    directory: Path
    identity: str


@dataclass(frozen=True)
class Materials:
    """All that a training reads.

    Attributes:
        data: labelled reviews.
        counts: of their parts.
        unlabelled: reviews that only the teacher labels.
        unlabelled_count: how many of them are learnt from.
        encoder: what the network begins as.
        teacher: None where labels are all that is learnt from.
    """

    data: Sequence[DataSet]
    counts: PartCounts
    unlabelled: Sequence[DataSet]
    unlabelled_count: int
    encoder: EncoderSource
    teacher: Teacher | None

    def key(self, options: Options) -> Mapping[str, Any]:
        """All that the result depends on, ready for JSON."""
        return {
            "data": sorted(one.sha256 + one.only for one in self.data),
            "columns": options.columns,
            "unlabelled": sorted(one.sha256 + one.only for one in self.unlabelled),
            "encoder": {**self.encoder.origin, **asdict(options.shape)},
            "teacher": self.teacher.identity if self.teacher else "",
            **asdict(options.training),
        }


@contextlib.contextmanager
def materials_at_hand(options: Options) -> Iterator[Materials]:
    """What a training reads, on local disk for as long as it lasts.

    Raises:
        UserError: something isn't there, or can't be learnt from.
    """
    hidden = options.columns._replace(label="", stars=None)
    with (
        all_at_hand(options.data, options.columns) as data,
        all_at_hand(options.unlabelled, hidden) as unlabelled,
        teacher_at_hand(options.teacher) as teacher,
    ):
        counts = count_parts(data)
        unlabelled_count = sum(1 for _ in Reviews(unlabelled, "training"))
        with encoder_at_hand(options.encoder, options.shape) as encoder:
            yield Materials(data, counts, unlabelled, unlabelled_count, encoder, teacher)


@contextlib.contextmanager
def teacher_at_hand(source: str) -> Iterator[Teacher | None]:
    """A model to learn from, if one is named; raises UserError where it isn't one."""
    if not source:
        yield None
        return
    with directory_at_hand(source) as directory:
        name = read_card(directory).name
        yield Teacher(directory, model_identity(name, fingerprint(directory)))
