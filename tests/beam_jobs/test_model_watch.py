import logging
import queue
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from beam_jobs import model_watch
from beam_jobs.model_trial import tried_model
from beam_jobs.model_watch import ModelWatch, News, Watcher, watcher
from beam_jobs.models import MODELS, LoadedModel, ModelVersion
from model.batches import padded
from tests.beam_jobs.bucket import BucketFileSystem
from tests.beam_jobs.word_models import copy_model, export_words, sigmoid, version_of

pytestmark = pytest.mark.slow

Exported = Callable[[float], Path]

A_LONG_TIME = 1e6  # seconds
"""The tests look for themselves."""


@pytest.fixture
def initial(exported: Exported, tmp_path: Path) -> ModelVersion:
    return copy_model(exported(1.0), tmp_path / "initial")


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """Where new models appear."""
    return tmp_path / "shelf"


@pytest.fixture(autouse=True)
def _log_of_the_job(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "beam_jobs")


def watch(shelf: Path, initial: ModelVersion) -> ModelWatch:
    return ModelWatch(f"{shelf}/*", A_LONG_TIME, initial)


def probability(watching: Watcher, text: str) -> float:
    version = watching.current
    tokens = MODELS.tokenizer(version).tokenize([text])
    return float(MODELS.network(version).probabilities(padded(tokens, np.array([0])))[0])


def look(watching: Watcher) -> None:
    """What is new is noticed at the first look and taken at the second."""
    watching.look()
    watching.look()


def test_without_a_pattern_the_initial_model_is_the_only_one(initial: ModelVersion) -> None:
    assert Watcher(ModelWatch("", A_LONG_TIME, initial)).current == initial


def test_the_initial_model_scores_until_there_is_another(
    shelf: Path, initial: ModelVersion, exported: Exported
) -> None:
    watching = Watcher(watch(shelf, initial))

    assert watching.current == initial
    newer = copy_model(exported(2.0), shelf / "1")
    look(watching)
    assert watching.current == newer
    assert watching.drain_news() == [News.SWAPPED]
    assert watching.drain_news() == []


def test_the_newest_good_model_begins(
    shelf: Path, initial: ModelVersion, warned: Callable[[], list[str]], exported: Exported
) -> None:
    copy_model(exported(0.0), shelf / "c", at_seconds=1e9)
    good = copy_model(exported(2.0), shelf / "b", at_seconds=2e9)
    copy_model(exported(3.0), shelf / "a", at_seconds=3e9)
    (shelf / "a/assets/vocab.txt").unlink()

    watching = Watcher(watch(shelf, initial))

    assert watching.current == good
    assert watching.drain_news() == [News.REFUSED]
    look(watching)
    assert watching.drain_news() == []
    assert len(warned()) == 1


def test_what_is_older_than_the_current_model_is_let_be(
    shelf: Path, initial: ModelVersion, exported: Exported
) -> None:
    current = copy_model(exported(2.0), shelf / "b", at_seconds=2e9)
    watching = Watcher(watch(shelf, initial))
    copy_model(exported(0.0), shelf / "c", at_seconds=1e9)
    copy_model(exported(0.0), shelf / "a", at_seconds=2e9)
    look(watching)
    assert watching.current == current

    shutil.rmtree(shelf / "b")
    look(watching)
    assert watching.current == current

    same_time = copy_model(exported(3.0), shelf / "d", at_seconds=2e9)
    look(watching)
    assert watching.current == same_time
    assert watching.drain_news() == [News.SWAPPED]


def test_vocabulary_casing_and_length_change_with_the_network(
    shelf: Path, initial: ModelVersion, caplog: pytest.LogCaptureFixture
) -> None:
    watching = Watcher(watch(shelf, initial))
    text = "Good bad bad bad bad bad bad good"  # the first six are read
    before = probability(watching, text)
    weights = {"plot": 5.0, "bad": -2.0, "Good": 3.0, "good": 0.5}
    newer = export_words(shelf / "1", weights, max_length=100, lower_case=False)

    look(watching)

    assert before == pytest.approx(sigmoid(1.0 - 5 * 1.0), abs=1e-6)
    assert probability(watching, text) == pytest.approx(sigmoid(3.0 - 6 * 2.0 + 0.5), abs=1e-6)
    assert f"model {initial.identity} -> {newer.identity}" in caplog.messages


def test_no_model_needs_its_directory_after_a_swap(
    shelf: Path, initial: ModelVersion, exported: Exported
) -> None:
    watching = Watcher(watch(shelf, initial))
    MODELS.network(initial)  # as the step that scores has it
    copy_model(exported(2.0), shelf / "1")
    look(watching)
    shutil.rmtree(initial.directory)
    shutil.rmtree(shelf)
    look(watching)

    assert probability(watching, "good") == pytest.approx(sigmoid(2.0), abs=1e-6)
    assert MODELS.network(initial)
    assert watching.drain_news() == [News.SWAPPED]


def test_the_same_model_in_another_place_is_no_other_model(
    shelf: Path, initial: ModelVersion, exported: Exported
) -> None:
    watching = Watcher(watch(shelf, initial))
    moved = copy_model(exported(1.0), shelf / "1")

    look(watching)

    assert watching.current == moved
    assert watching.drain_news() == []


def test_a_copy_that_goes_on_is_waited_for(
    shelf: Path, initial: ModelVersion, warned: Callable[[], list[str]], exported: Exported
) -> None:
    source = exported(2.0)
    watching = Watcher(watch(shelf, initial))
    # A model works without the last one, but rows would name it otherwise.
    for name in sorted(files_of(source), key="fingerprint.pb".__eq__):
        (shelf / "1" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, shelf / "1" / name)
        watching.look()
        assert watching.current == initial

    watching.look()

    assert watching.current.identity == version_of(source).identity
    assert watching.drain_news() == [News.SWAPPED]
    assert warned() == []


def files_of(directory: Path) -> list[str]:
    return [str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()]


def test_what_was_written_during_its_trial_is_tried_again(
    shelf: Path, initial: ModelVersion, monkeypatch: pytest.MonkeyPatch, exported: Exported
) -> None:
    watching = Watcher(watch(shelf, initial))
    copy_model(exported(2.0), shelf / "1")

    def slow_trial(directory: str) -> LoadedModel:
        loaded = tried_model(directory)
        Path(directory, "assets/more.txt").write_text("late")
        return loaded

    with monkeypatch.context() as patch:
        patch.setattr(model_watch, "tried_model", slow_trial)
        look(watching)
    assert watching.current == initial
    look(watching)

    assert watching.current == version_of(shelf / "1")
    assert watching.drain_news() == [News.SWAPPED]


def test_a_bucket_out_of_reach_is_waited_for(
    bucket: Path,
    initial: ModelVersion,
    monkeypatch: pytest.MonkeyPatch,
    warned: Callable[[], list[str]],
    exported: Exported,
) -> None:
    watching = Watcher(ModelWatch("bucket://models/*", A_LONG_TIME, initial))
    newer = copy_model(exported(2.0), bucket / "models/1")
    with monkeypatch.context() as out_of_reach:
        out_of_reach.setattr(BucketFileSystem, "down", True)
        look(watching)
    assert watching.current == initial
    look(watching)

    assert watching.current == newer._replace(directory="bucket://models/1")
    assert watching.drain_news() == [News.SWAPPED]
    (warning,) = warned()
    assert warning.startswith("can't look for models at bucket://models/*: ")
    assert "503" in warning


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """In place of `time`: says how long somebody wants to sleep, and wakes him when told to."""
    asleep: queue.Queue[float] = queue.Queue()
    awake: queue.Queue[None] = queue.Queue()

    def sleep(seconds: float) -> None:
        asleep.put(seconds)
        awake.get()

    clock = SimpleNamespace(sleep=sleep, asleep=asleep, awake=awake)
    monkeypatch.setattr(model_watch, "time", clock)
    return clock


def test_a_watch_looks_again_and_again_whatever_it_finds(
    bucket: Path,
    initial: ModelVersion,
    clock: SimpleNamespace,
    monkeypatch: pytest.MonkeyPatch,
    exported: Exported,
) -> None:
    watching = watcher(ModelWatch("bucket://models/*", 30.0, initial))
    assert clock.asleep.get(timeout=60) == 30.0
    monkeypatch.setattr(BucketFileSystem, "down", True)
    clock.awake.put(None)
    clock.asleep.get(timeout=60)
    monkeypatch.setattr(BucketFileSystem, "down", False)
    newer = copy_model(exported(2.0), bucket / "models/1")

    for _ in range(2):
        clock.awake.put(None)
        clock.asleep.get(timeout=60)

    assert watching.current.identity == newer.identity
    assert watcher(ModelWatch("bucket://models/*", 30.0, initial)) is watching
