import apache_beam as beam
from apache_beam.ml.inference.base import RunInference
from apache_beam.options.pipeline_options import PipelineOptions

from beam_jobs.dry_run.launch import launch_settings, most_workers, staged_packages, steps_of
from beam_jobs.handler import SavedModelHandler
from beam_jobs.model_watch import ModelWatch
from beam_jobs.models import ModelVersion
from tests.beam_jobs.running import local_pipeline


class Outer(beam.PTransform):
    def expand(self, numbers: beam.PCollection) -> beam.PCollection:
        return (
            numbers
            | "Plain" >> beam.Map(abs)
            | "Hungry" >> beam.Map(abs).with_resource_hints(min_ram="2GB")
        )


def test_steps_with_hints_of_their_own_are_shown() -> None:
    pipeline = local_pipeline()
    _ = pipeline | "Numbers" >> beam.Create([1]) | "Outer" >> Outer()

    steps = steps_of(pipeline)

    assert [step.label for step in steps] == ["Numbers", "Outer", "Outer/Hungry"]
    assert [dict(step.hints) for step in steps] == [{}, {}, {"min_ram_bytes": "2000000000"}]


def test_inference_is_shown_with_its_accelerator() -> None:
    watch = ModelWatch("", 60.0, ModelVersion("nowhere", "none@0", "0", 0.5))
    handler, pipeline = SavedModelHandler(watch, "auto"), local_pipeline()
    hint = "type:nvidia-l4;count:1;install-nvidia-driver"
    inference = RunInference(handler).with_resource_hints(accelerator=hint)
    _ = pipeline | "Examples" >> beam.Create([]) | "RunInference" >> inference

    steps = {step.label: step.hints for step in steps_of(pipeline)}

    assert steps["RunInference"] == {"accelerator": hint}
    assert steps["Examples"] == {}


def test_launch_settings_are_those_of_the_command_line_without_secrets() -> None:
    options = PipelineOptions(
        [
            *("--project", "p", "--region", "r", "--sdk_container_image", "image:1"),
            *("--max_num_workers", "8", "--no_use_public_ips", "--experiment", "use_runner_v2"),
            *("--s3_secret_access_key", "hush", "--extra_package", "dist/ours.tar.gz"),
        ]
    )

    settings = launch_settings("DataflowRunner", options)

    assert settings["runner"] == "DataflowRunner"
    assert (settings["project"], settings["region"]) == ("p", "r")
    assert settings["sdk_container_image"] == "image:1"
    assert settings["use_public_ips"] is False
    assert "use_runner_v2" in settings["experiments"]
    assert "hush" not in str(settings)
    assert staged_packages(options) == ["dist/ours.tar.gz"]
    assert most_workers("DataflowRunner", options) == 8


def test_how_many_workers_there_are_is_the_runners_choice_unless_somebody_says() -> None:
    assert most_workers("DataflowRunner", PipelineOptions([])) is None
    assert most_workers("DataflowRunner", PipelineOptions(["--num_workers", "3"])) == 3
    assert most_workers("FnApiRunner", PipelineOptions([])) == 1
