"""What a launch on Dataflow needs, and what is set for it. Cloud Storage is a local server."""

import re
from argparse import Namespace
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import (
    DebugOptions,
    GoogleCloudOptions,
    PipelineOptions,
    SetupOptions,
    StandardOptions,
    WorkerOptions,
)
from apache_beam.options.pipeline_options_validator import PipelineOptionsValidator
from apache_beam.runners.dataflow.dataflow_runner import DataflowRunner
from google.cloud.storage import Bucket

from beam_jobs.dataflow.accelerator_settings import ONE_PROCESS
from beam_jobs.dataflow.launch import NO_FREEZE, settle_launch
from schemas.errors import UserError
from tests.gcs.faults import forbidden
from tests.gcs.server import CloudStorage

IMAGE = "--sdk_container_image=images/score-reviews:1"


def ours(**changed: object) -> Namespace:
    """Our part of a command line over files in a bucket."""
    values: dict[str, object] = {
        "input": ["gs://reviews/*"],
        "output": "gs://scores/out",
        "model": "",
        "watch_model": "",
        "accelerator": "",
        "accelerator_scope": "inference",
    }
    return Namespace(**values | changed)


def beams(*arguments: str, streaming: bool = False) -> PipelineOptions:
    """Beam's part, without the folder for what is staged."""
    options = PipelineOptions(
        ["--runner=DataflowRunner", "--project=project", "--region=europe-west4", *arguments]
    )
    options.view_as(StandardOptions).streaming = streaming
    return options


@pytest.fixture
def temp(gcs_bucket: Bucket) -> str:
    return f"--temp_location=gs://{gcs_bucket.name}/temp"


def refused(beam_options: PipelineOptions, options: Namespace) -> str:
    """What the user is told."""
    with pytest.raises(UserError) as told:
        settle_launch(beam_options, options)
    assert "\n" not in str(told.value)
    return str(told.value)


def test_other_runners_have_no_accelerators() -> None:
    local = PipelineOptions(["--runner=FnApiRunner"])
    settle_launch(local, ours(input=["reviews.csv"], output="out"))

    assert "goes with --runner DataflowRunner only" in refused(local, ours(accelerator="l4"))


@pytest.mark.parametrize("name", ["DataflowRunner", "dataflow", "TestDataflowRunner"])
def test_dataflow_has_several_names(name: str) -> None:
    options = PipelineOptions([f"--runner={name}"])

    assert refused(options, ours()).startswith("--project is missing")


def test_a_launch_without_gpu_needs_nothing_else(temp: str) -> None:
    options = beams(temp, IMAGE)

    settle_launch(options, ours())

    assert options.view_as(DebugOptions).experiments == [NO_FREEZE]
    workers = options.view_as(WorkerOptions)
    assert (workers.machine_type, workers.disk_size_gb) == (None, None)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"input": ["gs://reviews/*", "dump.csv"]}, "--input dump.csv: workers"),
        ({"input": None, "output": "/tmp/out"}, "--output /tmp/out: workers"),
        ({"model": "models/mine"}, "--model models/mine: workers"),
        ({"watch_model": "models/*"}, "--watch_model models/*: workers"),
    ],
)
def test_workers_do_not_see_local_files(changed: dict[str, object], words: str) -> None:
    assert refused(beams(IMAGE), ours(**changed)).startswith(words)


@pytest.mark.parametrize("model", ["gs://models/mine", "package://model/pretrained"])
def test_models_elsewhere_are_fine(model: str, temp: str) -> None:
    settle_launch(beams(temp, IMAGE), ours(model=model))


def test_workers_need_the_package(temp: str, tmp_path: Path) -> None:
    wheel = tmp_path / "package.whl"
    wheel.touch()

    assert "workers would lack this package" in refused(beams(temp), ours())
    for package in (IMAGE, f"--extra_package={wheel}", "--extra_package=gs://packages/a.whl"):
        settle_launch(beams(temp, package), ours())
    assert "--extra_package absent.whl: there is no such file" in refused(
        beams(temp, "--extra_package=absent.whl"), ours()
    )


def test_the_folder_of_a_setup_file_may_be_left_out(
    temp: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "setup.py").touch()
    monkeypatch.chdir(tmp_path)
    options = beams(temp, "--setup_file=setup.py")

    settle_launch(options, ours())

    assert options.view_as(SetupOptions).setup_file == str(tmp_path / "setup.py")
    monkeypatch.chdir("/")
    assert "/setup.py: there is no such file" in refused(
        beams(temp, "--setup_file=setup.py"), ours()
    )


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--setup_file=small.py", "--setup_file small.py: it must be a setup.py"),
        ("--requirements_file=absent.txt", "--requirements_file absent.txt: there is no such file"),
        ("--template_location=gs://b/t", "a classic template could be launched once only"),
        ("--impersonate_service_account=a", "--impersonate_service_account is Beam's alone"),
    ],
)
def test_what_would_fail_after_the_output_is_cleared_is_refused(
    temp: str, argument: str, words: str
) -> None:
    assert words in refused(beams(temp, IMAGE, argument), ours())


def test_jobs_over_files_are_named_after_their_output(temp: str) -> None:
    def name(output: str, *arguments: str) -> str:
        options = beams(temp, IMAGE, *arguments)
        settle_launch(options, ours(output=output))
        return str(options.view_as(GoogleCloudOptions).job_name)

    assert name("gs://scores/out") == name("gs://scores/out/") != name("gs://scores/other")
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name("gs://scores/Out_1"))
    assert name("gs://scores/out", "--job_name=nightly") == "nightly"


def test_threads_are_those_of_the_machine(temp: str) -> None:
    options = beams(temp, IMAGE, "--machine_type=g2-standard-8")

    settle_launch(options, ours(accelerator="l4", accelerator_scope="job"))

    assert options.view_as(DebugOptions).number_of_worker_harness_threads == 8


@pytest.mark.parametrize(
    "secret",
    ["--s3_secret_access_key=x", "--s3_session_token=x", "--azure_connection_string=x"],
)
def test_secrets_of_other_clouds_stay_here(secret: str) -> None:
    told = refused(beams(IMAGE, secret), ours())

    assert told == f"{secret[:-2]} could be read by all who may see the job: leave it out"


@pytest.mark.parametrize(
    ("location", "words"),
    [
        ([], "--temp_location is missing"),
        (["--temp_location=/tmp"], "--temp_location /tmp must be in a bucket"),
        (["--temp_location=gs://"], "--temp_location gs://: names no bucket"),
        (["--temp_location=gs://absent/temp"], "there is no bucket absent"),
        (["--temp_location=gs://absent"], "there is no bucket absent"),
    ],
)
def test_what_is_staged_needs_a_bucket(gcs: CloudStorage, location: list[str], words: str) -> None:
    assert words in refused(beams(IMAGE, *location), ours())


def test_both_buckets_are_looked_at(temp: str) -> None:
    options = beams(IMAGE, temp, "--staging_location=gs://absent/staging")

    assert refused(options, ours()).startswith("--staging_location gs://absent/staging: there is")


def test_a_bucket_of_somebody_else_is_told_of(gcs: CloudStorage, gcs_bucket: Bucket) -> None:
    gcs.proxy.faults.append(forbidden(gcs_bucket.name))
    options = beams(IMAGE, f"--temp_location=gs://{gcs_bucket.name}")

    assert "grant the account Storage Legacy Bucket Reader" in refused(options, ours())


def test_the_gpu_of_inference_settles_the_rest(temp: str) -> None:
    options = beams(temp, IMAGE, "--machine_type=e2-standard-4")

    settle_launch(options, ours(accelerator="l4"))

    debug, workers = options.view_as(DebugOptions), options.view_as(WorkerOptions)
    assert ONE_PROCESS in debug.experiments
    assert debug.number_of_worker_harness_threads == 4  # as g2-standard-4 has vCPUs
    assert (workers.machine_type, workers.disk_size_gb) == ("e2-standard-4", 50)
    assert options.view_as(GoogleCloudOptions).dataflow_service_options is None


def test_the_gpu_of_a_job_settles_the_rest(temp: str) -> None:
    options = beams(temp, IMAGE, "--dataflow_service_options=enable_google_cloud_profiler")

    settle_launch(options, ours(accelerator="h100", accelerator_scope="job"))

    debug, workers = options.view_as(DebugOptions), options.view_as(WorkerOptions)
    assert ONE_PROCESS in debug.experiments
    assert debug.number_of_worker_harness_threads == 12  # and not 26
    assert (workers.machine_type, workers.disk_size_gb) == ("a3-highgpu-1g", 50)
    assert options.view_as(GoogleCloudOptions).dataflow_service_options == [
        "enable_google_cloud_profiler",
        "worker_accelerator=type:nvidia-h100-80gb;count:1;install-nvidia-driver:5xx",
    ]


def test_what_the_user_says_stays(temp: str) -> None:
    options = beams(
        temp,
        IMAGE,
        "--machine_type=n1-highmem-16",
        "--disk_size_gb=100",
        "--number_of_worker_harness_threads=2",
        f"--experiments={ONE_PROCESS}",
    )

    settle_launch(options, ours(accelerator="t4", accelerator_scope="job"))

    debug, workers = options.view_as(DebugOptions), options.view_as(WorkerOptions)
    assert (workers.machine_type, workers.disk_size_gb) == ("n1-highmem-16", 100)
    assert debug.number_of_worker_harness_threads == 2
    assert debug.experiments.count(ONE_PROCESS) == 1


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("scope", ["inference", "job"])
def test_beam_finds_nothing_to_add(temp: str, scope: str, streaming: bool) -> None:
    options = beams(temp, IMAGE, streaming=streaming)

    settle_launch(options, ours(accelerator="l4", accelerator_scope=scope))

    assert PipelineOptionsValidator(options, DataflowRunner()).validate() == []


@pytest.mark.parametrize("scope", ["inference", "job"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--setup_file=setup.py"], "--accelerator needs --sdk_container_image IMAGE"),
        ([IMAGE, "--experiments=use_multiple_sdk_containers"], "load the model into the same GPU"),
        ([IMAGE, "--experiments=disable_runner_v2"], "Beam needs Runner v2"),
        ([IMAGE, "--experiments=enable_prime"], "Dataflow Prime takes no machine type"),
        ([IMAGE, "--dataflow_service_options=enable_prime"], "Dataflow Prime takes no machine"),
        ([IMAGE, "--dataflow_service_options=worker_accelerator=type:nvidia-l4;count:1"],
         "worker_accelerator=type:nvidia-l4;count:1: --accelerator says it already"),
        ([IMAGE, "--resource_hints=accelerator=type:nvidia-l4"], "is for all steps"),
        ([IMAGE, "--disk_size_gb=30"], "--disk_size_gb 30 can't hold an image with CUDA"),
    ],
)  # fmt: skip
def test_what_goes_with_no_gpu_is_refused(
    arguments: list[str], words: str, scope: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])  # it holds setup.py

    assert words in refused(beams(*arguments), ours(accelerator="l4", accelerator_scope=scope))


def test_the_steps_without_gpu_get_no_machine_with_one() -> None:
    told = refused(beams(IMAGE, "--machine_type=g2-standard-8"), ours(accelerator="l4"))

    assert told.startswith("--machine_type g2-standard-8 has GPUs, but it is for the steps without")


def test_a_machine_that_cannot_have_the_gpu_is_refused() -> None:
    options = beams(IMAGE, "--machine_type=e2-standard-8")

    assert refused(options, ours(accelerator="l4:2", accelerator_scope="job")) == (
        "--machine_type e2-standard-8 can't have 2 of nvidia-l4: leave it out for g2-standard-24"
    )


def test_flexrs_gives_steps_no_workers_of_their_own(temp: str) -> None:
    flexrs = "--flexrs_goal=COST_OPTIMIZED"

    assert "--flexrs_goal doesn't go with" in refused(beams(IMAGE, flexrs), ours(accelerator="l4"))
    settle_launch(beams(temp, IMAGE, flexrs), ours(accelerator="l4", accelerator_scope="job"))
    assert "is for files only" in refused(beams(IMAGE, flexrs, streaming=True), ours())


def test_streaming_gives_steps_their_own_workers_only_when_it_scales(temp: str) -> None:
    fixed = "--autoscaling_algorithm=NONE"

    settle_launch(beams(temp, IMAGE, streaming=True), ours(accelerator="l4"))
    settle_launch(beams(temp, IMAGE, fixed), ours(accelerator="l4"))
    told = refused(beams(IMAGE, fixed, streaming=True), ours(accelerator="l4"))
    assert told.startswith("--autoscaling_algorithm NONE")
