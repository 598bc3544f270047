from pathlib import Path

import pytest

from beam_jobs.output import check_output, check_stream_output, check_writable, clear_output
from schemas.errors import UserError


def make(prefix: Path, *names: str) -> None:
    for name in names:
        path = prefix / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")


def files(prefix: Path) -> list[str]:
    return sorted(str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file())


def test_a_new_prefix_is_free_and_left_as_it_was(tmp_path: Path) -> None:
    prefix = tmp_path / "runs" / "today"

    assert check_output(str(prefix), [], overwrite=False) == str(prefix)
    assert files(tmp_path) == []


def test_a_finished_run_is_kept_unless_the_user_says_otherwise(tmp_path: Path) -> None:
    make(tmp_path, "manifest.json", "scores/part-00000-of-00001.jsonl")

    with pytest.raises(UserError, match="already holds a run"):
        check_output(str(tmp_path), [], overwrite=False)
    assert check_output(str(tmp_path), [], overwrite=True)


def test_what_an_unfinished_run_left_is_cleared_away(tmp_path: Path) -> None:
    make(
        tmp_path,
        "scores/part-00000-of-00002.parquet",
        "scores/beam-temp-part-0a1b/0123.part.jsonl",
        "rejected/part-00000-of-00001.jsonl.gz",
        "notes.txt",
    )
    (tmp_path / "rejected" / "beam-temp-part-0a1b").mkdir()

    clear_output(check_output(str(tmp_path), [], overwrite=False))

    assert [path.name for path in tmp_path.rglob("*")] == ["notes.txt"]


def test_files_of_others_are_never_touched(tmp_path: Path) -> None:
    make(tmp_path, "scores/precious.jsonl")

    with pytest.raises(UserError, match=r"precious.jsonl is not of this job"):
        check_output(str(tmp_path), [], overwrite=True)


def test_the_output_may_not_hold_the_input(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds the input"):
        check_output(str(tmp_path), [f"{tmp_path}/reviews.jsonl"], overwrite=False)


def test_a_file_in_the_way_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x")

    with pytest.raises(UserError, match="can't be written") as error:
        check_writable(f"{tmp_path}/out")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["run[1]", "run*", "run?"])
def test_a_prefix_is_no_pattern(tmp_path: Path, name: str) -> None:
    make(tmp_path / "run1", "manifest.json", "scores/part-00000-of-00001.jsonl")

    with pytest.raises(UserError, match="choose another"):
        check_output(f"{tmp_path}/{name}", [], overwrite=True)
    with pytest.raises(UserError, match="choose another"):
        check_stream_output(f"{tmp_path}/{name}")
