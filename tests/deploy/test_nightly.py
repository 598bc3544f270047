import ast
import re
import runpy
import subprocess
import sys
import types
from pathlib import Path
from typing import Any, ClassVar

import pytest

from beam_jobs.command_line import parse
from beam_jobs.dataflow.launch_checks import IMAGE_MODEL
from tests.deploy.gcloud import HAS_GCLOUD, divided, flag, mistake

NIGHTLY = Path(__file__).parents[2] / "deploy" / "nightly"
SCRIPT, DAG = NIGHTLY / "cloud_run.sh", NIGHTLY / "airflow_dag.py"


def printed_commands() -> list[list[str]]:
    """Those of the script, its variables filled in by the shell, run by nobody."""
    places = {"PROJECT": "my-project", "REGION": "europe-west4", "BUCKET": "my-bucket"}
    others = {"IMAGE": "image", "CHANNEL": "projects/my-project/notificationChannels/1"}
    script = f'gcloud() {{ printf "%s\\0" gcloud "$@"; echo; }}\n{SCRIPT.read_text("utf-8")}'
    result = subprocess.run(
        ["bash", "-c", script], env={**places, **others}, capture_output=True, check=True
    )
    lines = result.stdout.decode().removesuffix("\0\n").split("\0\n")
    return [line.split("\0") for line in lines]


class Recorder:
    """Stands for a class of Airflow: keeps what it is made with."""

    made: ClassVar[list["Recorder"]] = []

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments
        self.after: list[Recorder] = []
        Recorder.made.append(self)

    def __rshift__(self, other: "Recorder") -> "Recorder":
        other.after.append(self)
        return other

    def __enter__(self) -> "Recorder":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> dict[str, Recorder]:
    """The tasks of the DAG, made without Airflow."""
    for node in ast.walk(ast.parse(DAG.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("airflow"):
            module = types.ModuleType(str(node.module))
            for name in node.names:
                setattr(module, name.name, Recorder)
            monkeypatch.setitem(sys.modules, str(node.module), module)
    monkeypatch.setattr(Recorder, "made", [])
    runpy.run_path(str(DAG))
    return {task.arguments.get("task_id", "dag"): task for task in Recorder.made}


def filled_in(text: str) -> str:
    """As on the night of 2026-11-22, in Airflow's place."""
    days = {"1": "21", "2": "20", "3": "19"}
    text = re.sub(
        r"\{\{ \(data_interval_end - macros\.timedelta\(days=(\d)\)\) \| ds_nodash \}\}",
        lambda found: f"202611{days[found[1]]}",
        text,
    )
    return re.sub(
        r"\{\{ \(data_interval_end - macros\.timedelta\(days=(\d)\)\) \| ds \}\}",
        lambda found: f"2026-11-{days[found[1]]}",
        text,
    )


def test_the_arguments_of_the_cloud_run_job_can_be_read() -> None:
    job = printed_commands()[0]

    options = parse(divided(flag(job, "args")))

    assert (options.date, options.days, options.skip_unchanged) == ("yesterday", 3, True)
    assert options.input == ["gs://my-bucket/reviews/dt={date}/*"]
    assert options.output == "gs://my-bucket/scores/dt={date}"
    assert options.model == IMAGE_MODEL


def test_launcher_and_workers_are_the_same_image() -> None:
    job = printed_commands()[0]

    assert f"--sdk_container_image={flag(job, 'image')}" in divided(flag(job, "args"))


def test_the_scheduler_starts_that_job() -> None:
    job, schedule, _ = printed_commands()

    assert flag(schedule, "uri").endswith(f"/jobs/{job[4]}:run")


@pytest.mark.skipif(not HAS_GCLOUD, reason="needs the Google Cloud CLI, which checks its commands")
@pytest.mark.slow
def test_the_command_line_of_google_cloud_knows_every_flag() -> None:
    assert [mistake(command) for command in printed_commands()] == ["", "", ""]


def test_the_arguments_of_the_dag_are_those_of_the_cloud_run_job(
    tasks: dict[str, Recorder],
) -> None:
    (container,) = tasks["score"].arguments["overrides"]["container_overrides"]
    ours = [filled_in(argument) for argument in container["args"]]
    theirs = divided(flag(printed_commands()[0], "args"))

    assert parse(ours).date == "2026-11-21"
    differ = {"--date", "--sdk_container_image"}
    assert [one for one in ours if one.partition("=")[0] not in differ] == [
        one for one in theirs if one.partition("=")[0] not in differ
    ]


def test_the_dag_waits_for_each_manifest_and_then_loads_that_day(
    tasks: dict[str, Recorder],
) -> None:
    for number, day in ((1, "21"), (2, "20"), (3, "19")):
        manifest, load = tasks[f"manifest_{number}"], tasks[f"load_{number}"]

        waits_for = filled_in(manifest.arguments["object"])
        loaded = [filled_in(one) for one in load.arguments["source_objects"]]
        table = filled_in(load.arguments["destination_project_dataset_table"])
        assert waits_for == f"scores/dt=2026-11-{day}/manifest.json"
        assert loaded == [f"scores/dt=2026-11-{day}/scores/*.parquet"]
        assert table.endswith(f".scores$202611{day}")
        assert manifest.after == [tasks["score"]]
        assert load.after == [manifest]
        # A repeated load replaces the partition.
        assert load.arguments["write_disposition"] == "WRITE_TRUNCATE"
        # A day without reviews has no scores; that may only be an earlier one.
        assert manifest.arguments["soft_fail"] == (number > 1)
