from pathlib import Path

import pytest

from beam_jobs.dataflow.template_launcher import command_line, main

ROOT = Path(__file__).parents[2]


def test_lists_and_flags_become_what_the_command_line_knows() -> None:
    assert command_line(
        [
            "--input=gs://b/a,gs://b/c",
            "--overwrite=true",
            "--output=gs://b/d",
            "--id_field=",
            "--max_batch_tokens=",
            "--runner=DataflowRunner",
            "--labels={'a': 'b,c'}",
            "--enable_streaming_engine",
        ]
    ) == [
        "--input",
        "gs://b/a",
        "gs://b/c",
        "--overwrite",
        "--output=gs://b/d",
        "--runner=DataflowRunner",
        "--labels={'a': 'b,c'}",
        "--enable_streaming_engine",
    ]


def test_a_flag_that_is_off_is_left_out() -> None:
    assert command_line(["--overwrite=False"]) == []


def test_workers_get_the_image_that_the_launcher_was_built_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SDK_CONTAINER_IMAGE", "the-image")

    assert command_line([]) == ["--sdk_container_image=the-image"]
    assert command_line(["--sdk_container_image=another"]) == ["--sdk_container_image=another"]


def test_a_mistake_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--overwrite=perhaps"]) == 2
    error = "score-reviews: error: --overwrite 'perhaps' is neither true nor false\n"
    assert capsys.readouterr().err == error


@pytest.mark.slow
def test_a_launch_scores(tmp_path: Path) -> None:
    samples = ROOT / "beam_jobs" / "samples" / "reviews.jsonl"
    output = tmp_path / "scores"

    code = main([f"--input={samples}", f"--output={output}", "--overwrite=true", "--quiet"])

    assert code == 0
    assert (output / "manifest.json").exists()
