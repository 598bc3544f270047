"""The benchmark whose figures the README quotes, on a hundredth of its reviews."""

from pathlib import Path

import pytest

from benchmarks.movie_reviews import measure
from model.data import packaged_path


@pytest.mark.slow
@pytest.mark.tfx_bsl
def test_every_format_gives_the_same_scores(tmp_path: Path) -> None:
    report = measure(packaged_path(), tmp_path / "runs", every=100)

    assert report["rows_equal_twice"]
    assert set(report["largest_difference_of_probability"].values()) == {0.0}
    assert len(report["runs"]) == 6
    for facts in report["runs"].values():
        assert facts["counts"] == {"read": 336, "scored": 336, "rejected": 0}
    assert report["accuracy"]["imdb"] >= 0.8
