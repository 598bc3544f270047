"""A model is code: one that was pinned, or found at the launch, is not exchanged for another."""

import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import tensorflow as tf
from google.cloud.storage import Bucket

from beam_jobs.command_line import parse
from beam_jobs.model_trial import tried_model
from beam_jobs.models import MODELS, Models
from beam_jobs.score_reviews import main
from beam_jobs.tfx_engine import TfxHandler
from model.cloud_storage import upload_directory
from model.fingerprint import fingerprint
from model.savedmodel import export, load
from model.signatures import Serving
from model.tfx import StringSignature
from model.tokenizer import Tokenizer
from schemas.errors import UserError
from tests.beam_jobs.word_models import WordModel, copy_model, version_of
from tests.model.test_fingerprint import by_coreutils

WEIGHTS = {"good": 1.0, "bad": -1.0}


class Trap(tf.saved_model.experimental.TrackableResource):
    """Writes a file as soon as the model that it is part of is loaded."""

    def __init__(self, marker: Path) -> None:
        super().__init__()
        self._marker = str(marker)

    def _create_resource(self) -> tf.Tensor:
        return tf.raw_ops.VarHandleOp(dtype=tf.float32, shape=[])

    def _initialize(self) -> None:
        tf.io.write_file(self._marker, "was loaded")


class Hostile(Serving):
    """A model with a trap."""

    def __init__(self, network: WordModel, tokenizer: Tokenizer, marker: Path) -> None:
        super().__init__(network, tokenizer)
        self.trap = Trap(marker)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that was tried."""
    directory = tmp_path_factory.mktemp("good") / "model"
    tokenizer, card = tokenizer_and_card(directory.parent)
    export(Serving(WordModel(WEIGHTS), tokenizer), card, directory)
    return directory


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that leaves the file `loaded` beside it when it is loaded."""
    folder = tmp_path_factory.mktemp("hostile")
    tokenizer, card = tokenizer_and_card(folder)
    export(Hostile(WordModel(WEIGHTS), tokenizer, folder / "loaded"), card, folder / "model")
    return folder / "model"


def tokenizer_and_card(folder: Path) -> tuple[Tokenizer, dict[str, object]]:
    vocabulary = folder / "vocab.txt"
    vocabulary.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *WEIGHTS]) + "\n", "utf-8")
    card: dict[str, object] = {
        "name": "words",
        "labels": ["negative", "positive"],
        "max_length": 8,
        "truncation": {"head_share": 1.0},
        "lower_case": True,
    }
    return Tokenizer(vocabulary, True, 8, head_share=1.0), card


def refusal(arguments: list[str]) -> str:
    needed = ["--output", "out", *arguments]
    with pytest.raises(UserError) as error:
        parse(needed)
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(
    "digest",
    ["x", "0" * 63, "0" * 65, "A" * 64, "0" * 64 + "  -", "g" * 64, "\u0660" * 64, "0" * 64 + "\n"],
)
def test_a_malformed_digest_is_one_line(digest: str) -> None:
    said = refusal(["--input", "x.jsonl", "--model_sha256", digest])

    assert said.startswith(f"--model_sha256 {digest!r} is no SHA-256: give the 64 digits")


def test_a_digest_and_a_watch_contradict_each_other() -> None:
    stream = ["--input_subscription", "projects/project/subscriptions/name"]
    both = ["--watch_model", "gs://bucket/*", "--model_sha256", "0" * 64]

    said = refusal([*stream, *both])

    assert said.startswith("--model_sha256 pins one model, but --watch_model takes others")


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    (tmp_path / "in.jsonl").write_text('{"text": "good"}\n{"text": "bad"}\n')
    files = ["--input", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out"), "--quiet"]
    return [*files, "--model", str(tmp_path / "model")]


def scored_with(prefix: Path) -> str:
    manifest = json.loads((prefix / "manifest.json").read_text("utf-8"))
    assert manifest["counts"]["scored"] == 2
    return str(manifest["model"]["sha256"])


def test_a_pinned_model_scores_and_another_is_refused_before_it_is_loaded(
    tmp_path: Path,
    good: Path,
    hostile: Path,
    arguments: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    pinned = [*arguments, "--model_sha256", fingerprint(good)]
    copy_model(good, tmp_path / "model")
    assert main(pinned) == 0
    assert scored_with(tmp_path / "out") == by_coreutils(good)
    shutil.rmtree(tmp_path / "out")
    copy_model(hostile, tmp_path / "model")

    assert main(pinned) == 2

    found, expected = by_coreutils(hostile), by_coreutils(good)
    assert capsys.readouterr().err == (
        f"score-reviews: error: model {tmp_path}/model is another one: its SHA-256 is {found} "
        f"instead of {expected}; put that one back, or start again with this one\n"
    )
    assert not any((tmp_path / "out").rglob("*.*"))
    assert not loaded(hostile)


def loaded(hostile: Path) -> bool:
    """Whether the hostile model was loaded since this was asked last."""
    marker = hostile.parent / "loaded"
    found = marker.exists()
    marker.unlink(missing_ok=True)
    return found


def test_loading_a_model_runs_what_is_in_it(hostile: Path) -> None:
    """Without this the tests below would prove nothing."""
    load(hostile)

    assert loaded(hostile)


@pytest.mark.parametrize(
    "engine", ["saved_model", pytest.param("tfx_bsl", marks=pytest.mark.tfx_bsl)]
)
def test_a_model_exchanged_after_the_launch_is_not_loaded(
    tmp_path: Path,
    good: Path,
    hostile: Path,
    arguments: list[str],
    engine: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy_model(good, tmp_path / "model")

    def exchange(prefix: str) -> None:
        copy_model(hostile, tmp_path / "model")
        # As a worker begins; this process still has the model of the launch in memory.
        for name, empty in vars(Models()).items():
            monkeypatch.setattr(MODELS, name, empty)

    # The last thing that happens before the job runs.
    monkeypatch.setattr("beam_jobs.output.clear_output", exchange)

    code = main([*arguments, "--engine", engine, "--model_sha256", fingerprint(good)])

    assert code != 0
    said = capsys.readouterr().err
    assert f"model {tmp_path}/model is another one: its SHA-256 is {fingerprint(hostile)}" in said
    assert "Traceback" not in said
    assert not (tmp_path / "out/manifest.json").exists()
    assert not any((tmp_path / "out").rglob("part-*"))
    assert not loaded(hostile)


Load = Callable[[], object]


def test_nothing_but_the_chosen_model_is_loaded_wherever_it_lies(
    tmp_path: Path,
    good: Path,
    hostile: Path,
    gcs_bucket: Bucket,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By a worker, and by the trial of a launch on Dataflow; in buckets, and in the package."""
    url = f"gs://{gcs_bucket.name}/model"
    upload_directory(hostile, url)
    monkeypatch.setattr("beam_jobs.model_files.default_model_directory", lambda: hostile)
    for directory in (url, "package://model/pretrained", str(hostile)):
        version = version_of(good)._replace(directory=directory)
        loads: list[Load] = [
            partial(Models().network, version),
            partial(Models().tokenizer, version),
            partial(tried_model, version.directory, version.sha256),
        ]
        for one in loads:
            with pytest.raises(UserError, match=f"^model .* instead of {version.sha256}; "):
                one()
    assert not loaded(hostile)


@pytest.mark.tfx_bsl
def test_the_other_engine_checks_each_time_it_loads(
    tmp_path: Path, good: Path, hostile: Path
) -> None:
    version = copy_model(good, tmp_path / "model")
    signature = StringSignature("examples", "text", "positive_probability", -1)
    handler = TfxHandler(version, signature, "float32")
    handler.load_model()
    copy_model(hostile, tmp_path / "model")

    with pytest.raises(UserError, match="is another one"):
        handler.load_model()
    assert not loaded(hostile)
