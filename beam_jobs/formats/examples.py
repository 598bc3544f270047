"""Decodes tf.train.Example. Apart from its format, since not every machine has tfx-bsl."""

from collections.abc import Iterator, Sequence
from typing import Any

from tfx_bsl.coders.example_coder import ExamplesToRecordBatchDecoder

from schemas.payload import Origin, Payload, PayloadKind
from schemas.rejection import Reason, RecordError, Rejection, Stage, reject_data


def decode(examples: Sequence[tuple[Origin, bytes]]) -> Iterator[Payload | Rejection]:
    """Decodes serialized examples; a malformed one costs no other.

    Args:
        examples: each with where it stands.

    Yields:
        For each a payload with the features that any of them has: one value as itself, more as a
        list, none as None.
    """
    try:
        rows = _rows([data for _, data in examples])
    except RuntimeError:  # one is malformed, or two disagree on the type of a feature
        if len(examples) == 1:
            yield _malformed(*examples[0])
        else:
            for example in examples:
                yield from decode([example])
        return
    for (origin, _), row in zip(examples, rows, strict=True):
        values = {name: _value(feature) for name, feature in row.items()}
        yield Payload(origin, PayloadKind.FIELDS, values)


def _rows(serialized: list[bytes]) -> list[dict[str, list[Any] | None]]:
    batch = ExamplesToRecordBatchDecoder().DecodeBatch(serialized)
    return batch.to_pylist()


def _value(feature: list[Any] | None) -> Any:
    if not feature:
        return None
    return feature[0] if len(feature) == 1 else feature


def _malformed(origin: Origin, data: bytes) -> Rejection:
    problem = RecordError(Reason.MALFORMED_RECORD, "It is no tf.train.Example.")
    return reject_data(origin, Stage.PARSE, problem, data)
