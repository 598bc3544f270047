"""How tests launch jobs on Dataflow, and what they find of them."""

import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from apache_beam.portability import common_urns
from apache_beam.portability.api import beam_runner_api_pb2 as proto
from google.cloud.storage import Bucket

from tests.dataflow_service import DataflowService
from tests.gcs.server import PROJECT

ROOT = Path(__file__).parents[2]
IMAGE = "europe-docker.pkg.dev/project/images/score-reviews:1"
SECRET = "review-text-that-is-nobodys-business"  # pragma: allowlist secret
REVIEWS = f'{{"id": "a", "text": "{SECRET} Wonderful, a wonderful film."}}\n' + (
    '{"id": "b", "text": "Awful. Dull and badly acted."}\n'
)


class Launch(NamedTuple):
    """Where a test launches jobs.

    Attributes:
        service: takes them.
        bucket: holds reviews/a.jsonl, and what comes of it.
        credentials: the file with the launcher's key.
    """

    service: DataflowService
    bucket: Bucket
    credentials: Path

    def url(self, path: str) -> str:
        return f"gs://{self.bucket.name}/{path}"

    def arguments(self, *more: str) -> list[str]:
        """What every launch says."""
        return [
            "--runner=DataflowRunner",
            f"--dataflow_endpoint={self.service.endpoint}",
            f"--project={PROJECT}",
            "--region=europe-west4",
            f"--temp_location={self.url('temp')}",
            "--quiet",
            *more,
        ]

    def files(self, *more: str) -> list[str]:
        """What a launch over files says."""
        files = ["--input", self.url("reviews/*"), "--output", self.url("out"), "--id_field=id"]
        return self.arguments(*files, *more)

    def staged(self) -> dict[str, bytes]:
        """Content of all objects but reviews and results, by name."""
        return {
            blob.name: blob.download_as_bytes() for blob in self.bucket.list_blobs(prefix="temp/")
        }

    def staged_file(self, name: str) -> bytes:
        (content,) = (data for path, data in self.staged().items() if path.endswith(f"/{name}"))
        return content

    def sent(self) -> dict[str, bytes]:
        """All that leaves the launcher, by name: the job, what is staged, and what is packed."""
        staged = self.staged()
        sent = {"job": json.dumps(self.job()).encode(), **staged}
        for path, content in staged.items():
            if path.endswith(".tar.gz"):
                with tarfile.open(fileobj=io.BytesIO(content)) as archive:
                    for member in archive.getmembers():
                        file = archive.extractfile(member)
                        sent[f"{path}/{member.name}"] = file.read() if file else b""
        return sent

    def pipeline(self) -> proto.Pipeline:
        return proto.Pipeline.FromString(self.staged_file("pipeline.pb"))

    def job(self) -> dict[str, Any]:
        (job,) = self.service.jobs
        return job

    def pool(self) -> dict[str, Any]:
        (pool,) = self.job()["environment"]["workerPools"]
        assert isinstance(pool, dict)
        return pool


def hints_by_step(pipeline: proto.Pipeline) -> dict[str, dict[str, str]]:
    """The resource hints of each step that runs on workers and has some."""
    hints = {
        name: {urn: value.decode() for urn, value in environment.resource_hints.items()}
        for name, environment in pipeline.components.environments.items()
    }
    return {
        transform.unique_name: hints[transform.environment_id]
        for transform in pipeline.components.transforms.values()
        if not transform.subtransforms and hints.get(transform.environment_id)
    }


def step_names(pipeline: proto.Pipeline) -> set[str]:
    transforms = pipeline.components.transforms.values()
    return {transform.unique_name for transform in transforms if not transform.subtransforms}


def images(pipeline: proto.Pipeline) -> list[str]:
    """The container image of each environment."""
    return [
        proto.DockerPayload.FromString(environment.payload).container_image
        for environment in pipeline.components.environments.values()
    ]


def steps_until_shuffle(
    pipeline: proto.Pipeline, start: str, upstream: bool
) -> tuple[set[str], set[str]]:
    """Where elements come from, or go, without being grouped by key on the way.

    Dataflow fuses such steps into one, and its workers do them all.

    Args:
        pipeline: the pipeline.
        start: part of the name of the one step to begin with.
        upstream: whether to go against the stream.

    Returns:
        The names of the steps that can be fused with it, and of the groupings that end them.
    """
    leaves = [step for step in pipeline.components.transforms.values() if not step.subtransforms]
    (first,) = (step for step in leaves if start in step.unique_name)
    reached, found = {first.unique_name}, [first]
    groupings: set[str] = set()
    while found:
        step = found.pop()
        ends = set((step.inputs if upstream else step.outputs).values())
        for other in leaves:
            near = (other.outputs if upstream else other.inputs).values()
            if ends.intersection(near) and other.unique_name not in reached | groupings:
                if other.spec.urn == common_urns.primitives.GROUP_BY_KEY.urn:
                    groupings.add(other.unique_name)
                else:
                    reached.add(other.unique_name)
                    found.append(other)
    return reached, groupings


def worker(launch: Launch, folder: Path, messages: Sequence[Mapping[str, Any]] = ()) -> list[Any]:
    """Runs what is staged with the package that is staged, in a process that is clean of ours.

    Clean means: our packages come from the staged archive alone, and nothing can be imported
    from the checkout; the process makes sure of both. What they depend on is that of the
    environment of the tests, since the archive is installed without its dependencies: whether
    setup.py names them all isn't found out here.

    Args:
        launch: what is staged.
        folder: an empty one.
        messages: what the staged pipeline is to read: `data` and `attributes` of each.

    Returns:
        The rows that it published.
    """
    for name in ("workflow.tar.gz", "pipeline.pb"):
        (folder / name).write_bytes(launch.staged_file(name))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation"]
    target = folder / "installed"
    subprocess.run([*pip, "--target", target, folder / "workflow.tar.gz"], check=True)
    published = folder / "published"
    published.touch()
    script = ROOT / "tests" / "staged_worker.py"
    arguments = [str(target), str(folder / "pipeline.pb"), str(published), str(ROOT)]
    run = subprocess.run(
        [sys.executable, "-c", script.read_text("utf-8"), *arguments],
        cwd=folder,
        input="".join(f"{json.dumps(message)}\n" for message in messages),
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    assert run.stdout.endswith("ran\n")
    return [json.loads(line) for line in published.read_text("utf-8").splitlines()]


def check_no_secret(launch: Launch) -> None:
    """Searches all that has left the launcher."""
    key = json.loads(launch.credentials.read_text())["private_key"]
    sent = launch.sent()
    for secret in (SECRET, key.splitlines()[1], str(launch.credentials), str(ROOT)):
        assert not [name for name, content in sent.items() if secret.encode() in content], secret
    assert any(launch.bucket.name.encode() in content for content in sent.values())
