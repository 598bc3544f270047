"""What a streaming run is, settled and checked before anything runs."""

import dataclasses
import uuid
from argparse import Namespace
from dataclasses import dataclass
from typing import NamedTuple

from beam_jobs.fields import message_fields
from beam_jobs.job import Model, chosen_model
from beam_jobs.output import check_stream_output, check_writable
from beam_jobs.pubsub import MessageSource, check_paths
from beam_jobs.stream_sinks import StreamFiles, StreamOutputs
from beam_jobs.table import check_columns
from beam_jobs.windows import Windowing
from schemas.errors import UserError
from schemas.field import Field
from schemas.payload import PayloadKind
from schemas.review import ReviewFields
from schemas.score import columns

NEVER_TOO_LATE_SECONDS = 10_000 * 366 * 86_400
"""Only windows of files close; a topic or a table takes a review at any time."""


@dataclass(frozen=True)
class StreamingJob:
    """A streaming run, every part of it checked.

    Attributes:
        source: what to read.
        fields: which fields and attributes make a review.
        model: what scores it.
        outputs: where scores and rejections go.
    """

    source: MessageSource
    fields: ReviewFields
    model: Model
    outputs: StreamOutputs


class RunnerTraits(NamedTuple):
    """What a runner can and can't do with messages.

    Attributes:
        id_labels: leave out redelivered messages by an attribute.
        ordering_keys: publish with ordering keys.
        timely_timers: fire timers when they are due, whatever else it does.
        states: keep so many of them at no cost.
    """

    id_labels: bool
    ordering_keys: bool
    timely_timers: bool
    states: int


DATAFLOW = RunnerTraits(id_labels=True, ordering_keys=False, timely_timers=True, states=65_536)
LOCAL = RunnerTraits(id_labels=False, ordering_keys=True, timely_timers=False, states=128)


def prepare_streaming(options: Namespace, runner: RunnerTraits) -> StreamingJob:
    """Settles a streaming run from checked options.

    Args:
        options: the options.
        runner: what the runner can do.

    Raises:
        UserError: a subscription, topic, field, model or output is not as it must be.
    """
    fields = message_fields(options)
    _check_ordering_key(options.ordering_key, fields.kept_columns(), runner)
    if options.output_table:
        check_columns(columns(fields.kept_columns()))
    model = _streaming_model(options, runner)
    outputs = _outputs(options)
    source = MessageSource(
        path=options.input_subscription or options.input_topic,
        kind=PayloadKind(options.payload),
        id_label=options.id_attribute if runner.id_labels and options.deduplicate else "",
    )
    check_paths(source.path, [path for path in (outputs.topic, outputs.rejected_topic) if path])
    return StreamingJob(source, fields, model, outputs)


def _check_ordering_key(name: str, kept: tuple[Field, ...], runner: RunnerTraits) -> None:
    names = [column.name for column in columns(kept)]
    if name and name not in names:
        raise UserError(
            f"--ordering_key {name!r} is no column of a score: choose one of {', '.join(names)}"
        )
    if name and not runner.ordering_keys:
        raise UserError("--ordering_key: Beam can't publish with ordering keys on Dataflow")


def _streaming_model(options: Namespace, runner: RunnerTraits) -> Model:
    return dataclasses.replace(
        chosen_model(options),
        watch=options.watch_model,
        watch_interval_seconds=options.watch_interval,
        # Timers wait on the local runner until a pull ends: what was pulled is batch enough.
        max_batch_wait_seconds=options.max_batch_wait_ms / 1_000 if runner.timely_timers else 0.0,
        deduplicate_seconds=options.deduplicate,
        deduplicate_buckets=runner.states,
    )


def _outputs(options: Namespace) -> StreamOutputs:
    prefix = options.output.rstrip("/")
    if prefix:
        check_stream_output(prefix)
    if prefix and not options.dry_run:
        check_writable(prefix)
    return StreamOutputs(
        files=StreamFiles(
            prefix, options.output_format, options.files_per_window, uuid.uuid4().hex[:8]
        ),
        windowing=Windowing(
            options.window, options.allowed_lateness if prefix else NEVER_TOO_LATE_SECONDS
        ),
        topic=options.output_topic,
        ordering_key=options.ordering_key,
        table=options.output_table,
        rejected_topic=options.rejected_topic,
    )
