"""Runs a staged pipeline as a worker of Dataflow does, with nothing but the staged package.

Its arguments are the folder that the package is installed in, the file with the pipeline, and
folders that it must not be able to import from. Run it as text, with `python -c`, so that its own
folder is none of those that Python imports from.
"""

import importlib.util
import sys

installed, pipeline_file, *forbidden = sys.argv[1:]
sys.path[:] = [
    installed,
    *(path for path in sys.path if path and not any(map(path.startswith, forbidden))),
]
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder)]

from apache_beam.internal import pickler  # noqa: E402
from apache_beam.options.pipeline_options import PipelineOptions  # noqa: E402
from apache_beam.portability import python_urns  # noqa: E402
from apache_beam.portability.api import beam_runner_api_pb2 as proto  # noqa: E402
from apache_beam.runners.portability.fn_api_runner import FnApiRunner  # noqa: E402

for package in ("beam_jobs", "model", "schemas"):
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert (spec.origin or "").startswith(installed), f"{package} is that of {spec.origin}"

with open(pipeline_file, "rb") as file:
    pipeline = proto.Pipeline.FromString(file.read())
unpickled = 0
for transform in pipeline.components.transforms.values():
    if transform.spec.urn == "beam:transform:pardo:v1":
        function = proto.ParDoPayload.FromString(transform.spec.payload).do_fn
        if function.urn == python_urns.PICKLED_DOFN_INFO:
            pickler.loads(function.payload)
            unpickled += 1
print(unpickled, "functions")

if all(
    collection.is_bounded == proto.IsBounded.BOUNDED
    for collection in pipeline.components.pcollections.values()
):
    for environment in pipeline.components.environments.values():
        environment.urn = python_urns.EMBEDDED_PYTHON
        environment.payload = b""
        del environment.dependencies[:]
    FnApiRunner().run_via_runner_api(pipeline, PipelineOptions()).wait_until_finish()
    print("ran")

origins = [str(getattr(module, "__file__", "")) for module in list(sys.modules.values())]
assert not [origin for origin in origins if origin.startswith(tuple(forbidden))]
