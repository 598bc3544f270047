"""Runs a staged pipeline as a worker of Dataflow does, with nothing but the staged package.

Its arguments are the folder that the package is installed in, the file with the pipeline, the file
for what is published, and the checkout, from which nothing may be imported. Messages to score come
on its stdin, each a line of JSON with `data` and `attributes`. Run it as text, with `python -c`, so
that its own folder is none of those that Python imports from.

What Dataflow does itself, to read from Pub/Sub and to write to it, is all that is replaced: by
steps that give the messages, and that append each published one to a file.
"""

import importlib.util
import json
import sys

installed, pipeline_file, published_file, checkout = sys.argv[1:]


def is_of_checkout(path: str) -> bool:
    """Whether a file is of the checkout; the environment of the tests may lie in it."""
    return path.startswith(checkout) and not path.startswith(sys.prefix)


sys.path[:] = [installed, *(path for path in sys.path if path and not is_of_checkout(path))]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]

import apache_beam as beam  # noqa: E402
from apache_beam.internal import pickler  # noqa: E402
from apache_beam.io.gcp.pubsub import PubsubMessage  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from apache_beam.portability import common_urns, python_urns  # noqa: E402
from apache_beam.portability.api import beam_runner_api_pb2 as proto  # noqa: E402
from apache_beam.runners.direct.clock import RealClock  # noqa: E402
from apache_beam.runners.portability.fn_api_runner import FnApiRunner  # noqa: E402
from apache_beam.transforms.window import TimestampedValue  # noqa: E402
from apache_beam.utils.timestamp import MAX_TIMESTAMP, Timestamp  # noqa: E402

for package in ("beam_jobs", "model", "schemas"):
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert (spec.origin or "").startswith(installed), f"{package} is that of {spec.origin}"


class GiveMessages(beam.DoFn):
    """Gives messages as they leave the read of Pub/Sub: published now, their ids counted."""

    def __init__(self, lines: list[str]) -> None:
        self._lines = lines

    def process(self, _: bytes):  # type: ignore[no-untyped-def]
        for number, line in enumerate(self._lines):
            message = json.loads(line)
            data, attributes = message["data"].encode(), message["attributes"]
            read = PubsubMessage(data, attributes, str(number))._to_proto_str()
            yield TimestampedValue(read, Timestamp.now())


class KeepPublished(beam.DoFn):
    """Appends the data of a message that is to be published to a file, as a line."""

    def __init__(self, path: str) -> None:
        self._path = path

    def process(self, encoded: bytes) -> None:
        message = PubsubMessage._from_proto_str(encoded)
        with open(self._path, "ab") as file:
            file.write(message.data + b"\n")


def pardo(function: beam.DoFn) -> proto.FunctionSpec:
    """A step that runs a function."""
    encoded = pickler.dumps((function, (), {}, [], None))
    do_fn = proto.FunctionSpec(urn=python_urns.PICKLED_DOFN_INFO, payload=encoded)
    payload = proto.ParDoPayload(do_fn=do_fn).SerializeToString()
    return proto.FunctionSpec(urn=common_urns.primitives.PAR_DO.urn, payload=payload)


def replace_pubsub(components: proto.Components, messages: list[str]) -> None:
    """Replaces what Dataflow does itself.

    The read becomes the beginning of any pipeline, and the step after it, where Beam counts for a
    metric of its own, becomes the one that gives messages.
    """
    for transform in components.transforms.values():
        if transform.spec.urn == common_urns.composites.PUBSUB_READ.urn:
            transform.spec.CopyFrom(proto.FunctionSpec(urn=common_urns.primitives.IMPULSE.urn))
            (read,) = transform.outputs.values()
            (count,) = (
                step
                for step in components.transforms.values()
                if read in step.inputs.values() and not step.subtransforms
            )
            count.spec.CopyFrom(pardo(GiveMessages(messages)))
        elif transform.spec.urn == common_urns.composites.PUBSUB_WRITE.urn:
            transform.spec.CopyFrom(pardo(KeepPublished(published_file)))


with open(pipeline_file, "rb") as file:
    pipeline = proto.Pipeline.FromString(file.read())
replace_pubsub(pipeline.components, sys.stdin.read().splitlines())
for environment in pipeline.components.environments.values():
    environment.urn = python_urns.EMBEDDED_PYTHON
    environment.payload = b""
    del environment.dependencies[:]
# This runner doesn't wait until a timer of the clock is due: to it all of them are.
RealClock.time = lambda _: MAX_TIMESTAMP  # type: ignore[method-assign]
FnApiRunner().run_via_runner_api(pipeline, PipelineOptions()).wait_until_finish()
print("ran")

origins = [str(getattr(module, "__file__", "")) for module in list(sys.modules.values())]
assert not list(filter(is_of_checkout, origins))
