"""Review text and credentials are in no place but those that the user asked for.

Every run is told to log all that any package has to say, down to debugging. Whatever it emits is
searched: what it prints and logs, metrics, the manifest, what is staged, what it leaves in files.
"""

import base64
import gzip
import json
import logging
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
from google.cloud import pubsub_v1
from google.cloud.storage import Bucket

from beam_jobs import score_reviews
from beam_jobs.score_reviews import main
from model.savedmodel import ScoringModel
from tests.integration.conftest import NewChannel
from tests.integration.launches import IMAGE, Launch
from tests.integration.secrecy import (
    FIELD,
    MARKS,
    RECORDS,
    REJECTED,
    SCORED,
    SECRET,
    TEXT,
    Emitted,
    attributes,
    check_secret,
    log_everything,
    rejections,
    started,
    wait_until,
)
from tests.integration.streaming import STOP_SECONDS, inbox
from tests.limits import short_files

Run = Callable[..., Emitted]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Input with marks in it, and an environment with one."""
    (tmp_path / "in").mkdir()
    (tmp_path / "tmp").mkdir()
    lines = "".join(f"{record}\n" for record in RECORDS).encode()
    (tmp_path / "in/a.jsonl").write_bytes(lines + b'{"text": "\xff ' + TEXT.encode() + b'"}\n')
    whole = gzip.compress(f'{{"text": "", "stars": 1, "other": "{TEXT}"}}\n'.encode() * 2)
    (tmp_path / "in/b.jsonl.gz").write_bytes(whole[:-12])
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setenv("NOBODYS_TOKEN", SECRET)
    monkeypatch.setenv("HTTPS_PROXY", f"http://user:{SECRET}@127.0.0.1:9")
    return tmp_path


@pytest.fixture
def run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs the job in this process."""
    monkeypatch.setattr(score_reviews, "log_to_stderr", log_everything)
    results: list[Any] = []
    real = beam.Pipeline.run

    def run_pipeline(self: beam.Pipeline, *arguments: Any) -> Any:
        results.append(real(self, *arguments))
        return results[-1]

    monkeypatch.setattr(beam.Pipeline, "run", run_pipeline)
    handlers, level = logging.getLogger().handlers[:], logging.getLogger().level

    def run_job(code: int, *arguments: str) -> Emitted:
        results.clear()
        assert main(arguments) == code
        metrics = "".join(str(result.metrics().query()) for result in results)
        captured = capfd.readouterr()
        return Emitted(folder, captured.out + captured.err, metrics)

    yield run_job
    logging.getLogger().handlers[:] = handlers
    logging.getLogger().setLevel(level)


def over(folder: Path, prefix: str = "") -> list[str]:
    """What a run over the files says."""
    return [
        *("--input", str(folder / "in/*"), "--output", prefix or str(folder / "out")),
        *("--keep_fields", "stars:int64", "--max_rejected_share", "1"),
    ]


@pytest.mark.slow
def test_a_run_and_its_dry_run(run: Run, folder: Path) -> None:
    for more in (("--tokens_per_second", "1000"), ("--log_format", "json")):
        dry = run(0, *over(folder), "--dry_run", "--worker_price", "1", *more)
        assert "RunInference" in dry.said
        check_secret(dry.places())

    emitted = run(0, *over(folder))

    rejected = rejections(folder)
    assert len(rejected) == REJECTED
    assert sum(TEXT in row["payload"] or row["payload_encoding"] == "base64" for row in rejected)
    assert "DEBUG" in emitted.said
    assert "reviews_scored" in emitted.metrics
    check_secret(emitted.places())
    check_secret((name, name.encode()) for name in os.listdir(folder / "out/scores"))
    scores = [(str(path), path.read_bytes()) for path in (folder / "out/scores").iterdir()]
    check_secret(iter(scores))
    details = json.dumps([[row["detail"], row["reason"], row["source"]] for row in rejected])
    check_secret(iter([("details", details.encode())]))


@pytest.mark.slow
def test_a_model_that_quotes_its_input(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = ScoringModel.probabilities

    def fail(self: ScoringModel, ids: Any) -> Any:
        if len(ids) > SCORED:  # the trial at the launch
            return works(self, ids)
        raise RuntimeError(f"can't compute {TEXT}")

    monkeypatch.setattr(ScoringModel, "probabilities", fail)

    emitted = run(0, *over(folder))

    assert "the model failed on a review: RuntimeError" in emitted.said
    check_secret(emitted.places())


@pytest.mark.slow
def test_rows_that_cannot_be_written(run: Run, folder: Path) -> None:
    """Rows are longer than a file can be, as on a full disk."""
    (folder / "in/c.jsonl").write_text(f'{{"text": "", "other": "{100_000 * TEXT}"}}\n' * 200)
    with short_files(1_000_000):
        emitted = run(1, *over(folder))

    assert "the job failed" in emitted.said
    check_secret(emitted.places())
    assert not (folder / "out/manifest.json").exists()


@pytest.mark.slow
def test_credentials_for_a_bucket(
    run: Run, folder: Path, gcs_bucket: Bucket, gcs_credentials: Path
) -> None:
    key = json.loads(gcs_credentials.read_text())["private_key"].splitlines()[1]
    url = f"gs://{gcs_bucket.name}/out"

    emitted = run(0, *over(folder, url))

    blobs = {blob.name: blob.download_as_bytes() for blob in gcs_bucket.list_blobs()}
    written = [(name, data) for name, data in blobs.items() if "/part-" not in name]
    assert [name for name, _ in written] == ["out/manifest.json"]
    check_secret(iter([*emitted.places(), *written]), (*MARKS, key))
    check_secret(iter(blobs.items()), (SECRET, key))


@pytest.mark.slow
def test_a_submission(launch: Launch, folder: Path, run: Run) -> None:
    key = json.loads(launch.credentials.read_text())["private_key"].splitlines()[1]
    launch.bucket.blob("reviews/a.jsonl").upload_from_string("\n".join(RECORDS))
    arguments = launch.files(f"--sdk_container_image={IMAGE}", "--no_wait_until_finish")
    arguments = [one for one in arguments if one not in ("--quiet", "--id_field=id")]

    emitted = run(0, *arguments)

    assert len(launch.service.jobs) == 1
    check_secret(iter([*emitted.places(), *launch.sent().items()]), (*MARKS, key))


@pytest.mark.slow
def test_a_run_that_is_stopped(folder: Path) -> None:
    line = RECORDS[0] + "\n"
    (folder / "in/c.jsonl").write_text(line * 200_000)
    log = folder / "log"
    process = started(folder, log, *over(folder))
    try:
        wait_until(lambda: (folder / "out/scores").exists(), process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS * 2) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()

    assert "stopped; no manifest is written" in log.read_text("utf-8")
    check_secret(Emitted(folder, "", "").places())


@pytest.mark.slow
def test_messages(folder: Path, new_channel: NewChannel) -> None:
    reviews, scores, rejected = (new_channel() for _ in range(3))
    log = folder / "log"
    arguments = ["--input_subscription", reviews.subscription, "--output_topic", scores.topic]
    arguments += ["--rejected_topic", rejected.topic, "--output", str(folder / "out")]
    arguments += ["--window", "1s", "--keep_fields", "stars:int64", "--deduplicate", "1m"]
    process = started(folder, log, *arguments)
    try:
        with inbox(scores) as good, inbox(rejected) as bad:
            wait_until(lambda: "scoring the messages" in log.read_text("utf-8"), process, log)
            publisher = pubsub_v1.PublisherClient()
            for record in RECORDS:
                publisher.publish(reviews.topic, record.encode(), other=FIELD).result()
            wait_until(lambda: len(good) + len(bad) == len(RECORDS), process, log)
            process.send_signal(signal.SIGTERM)
            assert process.wait(STOP_SECONDS * 2) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()

    assert len(good) == SCORED
    sent = [("score", message.data + attributes(message.attributes)) for message in good]
    sent += [("attributes of a rejection", attributes(message.attributes)) for message in bad]
    check_secret(iter([*Emitted(folder, "", "").places(), *sent]))


@pytest.mark.parametrize(
    "spelled", [str, lambda text: base64.b64encode(f"a{text}".encode()).decode()]
)
def test_a_mark_is_found(tmp_path: Path, spelled: Callable[[str], str]) -> None:
    with pytest.raises(AssertionError, match="said"):
        check_secret(Emitted(tmp_path, f"so {spelled(TEXT)}!", "").places())
