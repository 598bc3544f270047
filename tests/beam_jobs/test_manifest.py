import json
from pathlib import Path

import pytest

from beam_jobs.manifest import RunFacts, UnbalancedError, manifest, read_manifest
from beam_jobs.summary import summary, too_many_rejected
from beam_jobs.whole_files import write_whole

FACTS = RunFacts(
    inputs={"patterns": ["*.csv"], "files": 2, "bytes": 1_500_000},
    model={"directory": "models/m", "identity": "m@0123"},
    options={"output": "out"},
    versions={"apache-beam": "2.77.0"},
    max_rejected_share=0.25,
    started_at=1_000.0,
)
FILES = {"scores": ["out/scores/b", "out/scores/a"], "rejected": []}


def test_the_manifest_adds_up() -> None:
    content = manifest(FACTS, 4, {"positive": 3}, {"empty_text": 1}, FILES, 1_010.0)

    assert content["status"] == "complete"
    assert content["counts"] == {"read": 4, "scored": 3, "rejected": 1}
    assert content["labels"] == {"negative": 0, "positive": 3}
    assert content["files"]["scores"] == ["out/scores/a", "out/scores/b"]
    assert content["started_at"] == "1970-01-01T00:16:40Z"
    assert content["seconds"] == 10.0
    assert content["reviews_per_second"] == 0.3
    assert json.loads(json.dumps(content)) == content


@pytest.mark.parametrize(("read", "scored", "rejected"), [(4, 3, 0), (4, 4, 1), (0, 1, 0)])
def test_a_lost_or_doubled_review_stops_the_run(read: int, scored: int, rejected: int) -> None:
    with pytest.raises(UnbalancedError, match=f"{read} records were read"):
        manifest(FACTS, read, {"positive": scored}, {"empty_text": rejected}, FILES, 1_010.0)


def test_too_many_rejections_are_said() -> None:
    content = manifest(FACTS, 10, {"positive": 7}, {"empty_text": 2, "bad_id": 1}, FILES, 1_010.0)

    assert content["status"] == "too_many_rejected"
    assert too_many_rejected(content, "out") == (
        "3 of 10 records were rejected, 30.0%, more than --max_rejected_share 0.25 allows: "
        "see out/rejected"
    )


def test_an_empty_run_is_complete() -> None:
    assert manifest(FACTS, 0, {}, {}, FILES, 1_000.0)["status"] == "complete"


def test_the_summary_names_every_count() -> None:
    content = manifest(
        FACTS, 1003, {"positive": 1000, "negative": 2}, {"empty_text": 1}, FILES, 1_010.0
    )

    assert summary(content, "out").splitlines() == [
        "read             1,003  from 2 files, 1.5 MB",
        "scored           1,002  negative 2, positive 1,000",
        "rejected             1  empty_text 1",
        "time              10.0  seconds, 100 reviews/s",
        "model     m@0123",
        "output    out",
    ]


def test_a_whole_file_replaces_the_one_before(tmp_path: Path) -> None:
    path = f"{tmp_path}/manifest.json"

    write_whole(path, '{"run": 1}')
    write_whole(path, '{"run": 2}')

    assert read_manifest(str(tmp_path)) == {"run": 2}
    assert [entry.name for entry in tmp_path.iterdir()] == ["manifest.json"]
