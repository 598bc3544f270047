"""What goes wrong with Cloud Storage, as the user of the command line sees it."""

import gc
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from google.cloud.storage import Bucket

from model.card import default_model_directory
from model.cloud_storage import upload_directory
from tests.gcs.faults import (
    FORBIDDEN,
    OK,
    Fault,
    forbidden,
    object_user,
    private,
    read_only,
    write_once,
)
from tests.gcs.server import CloudStorage
from tests.integration.buckets import REVIEWS, names, rows_in, score

pytestmark = pytest.mark.slow

INPUT, OUTPUT = "gs://{bucket}/in/**", "gs://{bucket}/out"


@pytest.mark.parametrize(
    ("flag", "value", "fault", "words"),
    [
        ("--input", "gs:/{bucket}/in/*", None, "names no bucket: write gs://BUCKET/PATTERN"),
        ("--input", "gs://", None, "names no bucket"),
        ("--input", "gs://*/in/*", None, "names no bucket"),
        ("--input", "gs://{bucket}/in", None, "is a directory; name its files, as in gs://"),
        ("--input", "gs://{bucket}/*.jsonl", None, "no file matches"),
        ("--input", "gs://absent/*", None, "is not there: 404 The specified bucket does not exist"),
        ("--input", INPUT, forbidden, "grant the account Storage Object Viewer"),
        ("--input", INPUT, write_once, "does not have storage.objects.list access"),
        ("--output", "gs:/{bucket}/out", None, "names no bucket: write gs://BUCKET/FOLDER"),
        ("--output", "gs://", None, "names no bucket"),
        ("--output", "gs://{bucket}", None, "holds the input"),
        ("--output", "gs://absent/out", None, "is not there: 404 The specified bucket does"),
        ("--output", OUTPUT, read_only, "grant the account Storage Object User"),
        ("--model", "gs://absent/model", None, "bucket does not exist"),
        ("--model", "gs://{bucket}/absent", None, "absent"),
        ("--model", "gs:/{bucket}/model", None, "gs:/"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    gcs: CloudStorage,
    gcs_bucket: Bucket,
    bucket_dumps: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    flag: str,
    value: str,
    fault: Callable[[str], Fault] | None,
    words: str,
) -> None:
    gcs.proxy.faults.extend([fault(gcs_bucket.name)] if fault else [])
    output = str(tmp_path / "out") if flag == "--input" else f"gs://{gcs_bucket.name}/out"

    code = score(bucket_dumps, output, flag, value.format(bucket=gcs_bucket.name))

    assert code == 2
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("score-reviews: error: ")
    assert value.format(bucket=gcs_bucket.name).rstrip("/") in line
    assert words in line
    assert not (tmp_path / "out").exists()


def test_a_model_that_may_not_be_read_is_told_in_a_line(
    gcs: CloudStorage, gcs_bucket: Bucket, dumps: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    gcs.proxy.faults.append(forbidden(gcs_bucket.name))
    url = f"gs://{gcs_bucket.name}/model"

    assert score(f"{dumps}/**", f"{dumps}/out", "--model", url) == 2

    (line,) = capfd.readouterr().err.splitlines()
    assert url in line
    assert "grant the account Storage Object Viewer" in line


def test_a_model_that_arrives_damaged_is_told_in_a_line(
    gcs: CloudStorage, gcs_bucket: Bucket, dumps: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    url = f"gs://{gcs_bucket.name}/models/small"
    upload_directory(default_model_directory(), url)
    gcs.proxy.corrupted.add(f"{gcs_bucket.name}/models/small/assets/vocab.txt")

    assert score(f"{dumps}/**", f"gs://{gcs_bucket.name}/out", "--model", url) == 2

    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("score-reviews: error: ")
    assert url in line
    assert "vocab.txt arrived damaged" in line
    assert names(gcs_bucket, "out/") == []


def test_the_role_on_objects_is_all_that_a_run_needs(
    gcs: CloudStorage, gcs_bucket: Bucket, bucket_dumps: str, dump_rows: list[dict[str, Any]]
) -> None:
    gcs.proxy.faults.append(object_user(gcs_bucket.name))

    assert score(bucket_dumps, f"gs://{gcs_bucket.name}/out") == 0
    assert score(bucket_dumps, f"gs://{gcs_bucket.name}/out", "--overwrite") == 0

    assert rows_in(gcs_bucket, "out") == dump_rows


def media(name: str, nth: int) -> Fault:
    """Refuses a read of an object, counted from 1, and those that follow."""
    seen = []

    def fault(call: Any) -> int:
        seen.extend([call] * (call.media and call.name == name))
        return FORBIDDEN if call.media and call.name == name and len(seen) >= nth else OK

    return fault


def writing(part: str) -> Fault:
    """Refuses the content of objects with a part in their name, once their upload has begun."""
    return lambda call: FORBIDDEN if call.method == "PUT" and part in call.name else OK


def renaming(part: str) -> Fault:
    """Refuses to copy objects to names with a part in them."""
    return lambda call: FORBIDDEN if "/copyTo/" in call.path and part in call.path else OK


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (media("in/a/b/3.parquet", 3), "does not have storage.objects.get access"),
        (writing("rejected/beam-temp-part"), "403"),
        (renaming("/part-00000"), "finalize_write: [403]"),
        (writing("manifest.json"), "403"),
    ],
    ids=["reading", "writing", "renaming", "manifest"],
)
def test_a_run_that_fails_leaves_no_manifest_and_can_be_repeated(
    gcs: CloudStorage,
    gcs_bucket: Bucket,
    bucket_dumps: str,
    dump_rows: list[dict[str, Any]],
    capfd: pytest.CaptureFixture[str],
    fault: Fault,
    words: str,
) -> None:
    gcs.proxy.faults.append(fault)
    capfd.readouterr()

    assert score(bucket_dumps, f"gs://{gcs_bucket.name}/out") == 1

    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("score-reviews: error: the job failed: ")
    assert words in line
    assert "Storage Object User (roles/storage.objectUser)" in line
    assert "out/manifest.json" not in names(gcs_bucket, "out/")
    gc.collect()  # writers that the run left behind try once more, and are refused again
    gcs.proxy.faults.clear()
    assert score(bucket_dumps, f"gs://{gcs_bucket.name}/out") == 0
    assert rows_in(gcs_bucket, "out") == dump_rows


def test_a_prefix_that_holds_a_run_is_kept(
    gcs_bucket: Bucket, bucket_dumps: str, capfd: pytest.CaptureFixture[str]
) -> None:
    gcs_bucket.blob("out/manifest.json").upload_from_string("{}")

    assert score(bucket_dumps, f"gs://{gcs_bucket.name}/out") == 2

    assert "already holds a run" in capfd.readouterr().err
    assert names(gcs_bucket, "out/") == ["out/manifest.json"]
    assert score(bucket_dumps, f"gs://{gcs_bucket.name}/out", "--overwrite") == 0
    assert len(rows_in(gcs_bucket, "out")) == len(REVIEWS)


@pytest.mark.parametrize("is_private", [True, False])
def test_without_credentials_only_public_buckets_are_read(
    gcs: CloudStorage,
    bucket_dumps: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    is_private: bool,
) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))  # where gcloud would keep some
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    gcs.proxy.faults.extend([private()] if is_private else [])
    begin = time.monotonic()

    run = subprocess.run(
        [
            *(sys.executable, "-m", "beam_jobs.score_reviews"),
            *("--input", bucket_dumps, "--output", str(tmp_path / "out"), "--id_field", "absent"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert time.monotonic() - begin < 30  # Beam alone looks for longer
    assert run.returncode == 2
    (line,) = run.stderr.splitlines()
    said = "needs Google Cloud credentials" if is_private else "--id_field 'absent' is not a field"
    assert said in line
