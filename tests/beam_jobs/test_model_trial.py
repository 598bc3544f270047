import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from beam_jobs.model_trial import tried_model
from beam_jobs.model_watch import ModelWatch, News, Watcher
from model.card import default_model_directory
from model.fingerprint import fingerprint
from tests.beam_jobs.word_models import copy_model, export_words

Exported = Callable[[float], Path]


def test_the_bundled_model_passes_its_trial() -> None:
    directory = default_model_directory()

    loaded = tried_model(str(directory))

    assert loaded.version.identity == f"tiny-imdb@{fingerprint(directory)[:12]}"


def shorten(name: str) -> Callable[[Path], object]:
    return lambda directory: os.truncate(directory / name, (directory / name).stat().st_size // 2)


def remove(name: str) -> Callable[[Path], object]:
    def damage(directory: Path) -> None:
        path = directory / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return damage


def change_card(**changes: object) -> Callable[[Path], object]:
    def damage(directory: Path) -> None:
        path = directory / "assets.extra/model_card.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    return damage


def write_vocabulary(*words: str) -> Callable[[Path], object]:
    text = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words]) + "\n"
    return lambda directory: (directory / "assets/vocab.txt").write_text(text)


def write_untold_vocabulary(*words: str) -> Callable[[Path], object]:
    """The same in a model of an earlier release, whose card doesn't tell of its vocabulary."""

    def damage(directory: Path) -> None:
        change_card(vocabulary_sha256="")(directory)
        write_vocabulary(*words)(directory)

    return damage


def flip_a_weight(directory: Path) -> None:
    (path,) = (directory / "variables").glob("variables.data-*")
    content = bytearray(path.read_bytes())
    content[20] ^= 0xFF
    path.write_bytes(content)


def offer(**signatures: str) -> Callable[[Path], object]:
    """Leaves these signatures, each made of the one that is named."""

    def damage(directory: Path) -> None:
        network = tf.saved_model.load(str(directory))
        offered = {name: network.signatures[source] for name, source in signatures.items()}
        tf.saved_model.save(network, str(directory), offered)

    return damage


def weigh(weights: dict[str, float]) -> Callable[[Path], object]:
    def damage(directory: Path) -> None:
        shutil.rmtree(directory)
        export_words(directory, weights)

    return damage


@pytest.mark.slow  # a little each, but they are many
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (shorten("saved_model.pb"), "can't load model"),
        (shorten("variables/variables.index"), "can't load model"),
        (shorten("variables/variables.data-00000-of-00001"), "can't load model"),
        (shorten("assets.extra/model_card.json"), "broken model card"),
        (remove("variables"), "incomplete: no variables/variables.index"),
        (remove("variables/variables.data-00000-of-00001"), "incomplete: no variables/var"),
        (remove("assets"), "incomplete: no assets/vocab.txt"),
        (remove("assets.extra"), "only models made by train-sentiment will do"),
        (flip_a_weight, "can't load model"),
        (offer(token_ids="token_ids"), "has no signature serving_default"),
        (offer(serving_default="serving_default"), "has no signature token_ids"),
        (offer(serving_default="examples", token_ids="token_ids"), "must turn text, string [n]"),
        (offer(serving_default="serving_default", token_ids="examples"), "must turn input_word_"),
        (weigh({"good": float("nan")}), "gives something other than probabilities"),
        (shorten("assets/vocab.txt"), "is not the one that its card tells of"),
        (write_vocabulary("bad", "good"), "is not the one that its card tells of"),
        (write_vocabulary("good", "bad", "plot"), "is not the one that its card tells of"),
        (change_card(vocabulary_sha256=7), "vocabulary_sha256 can't be 7"),
        (write_untold_vocabulary("bad", "good"), "its vocabulary or card is another model's"),
        (write_untold_vocabulary("plot", "film", "good", "bad"), "fails on trial"),
        (write_untold_vocabulary("film"), "its vocabulary or card is another model's"),
        (write_untold_vocabulary(), "fails on trial: RuntimeError: No valid vocab tokens"),
        (change_card(lower_case=False), "its vocabulary or card is another model's"),
        (change_card(max_length=100), "its vocabulary or card is another model's"),
        (change_card(truncation={"head_share": 0.5}), "its vocabulary or card is another"),
    ],
)
def test_a_bad_model_is_refused_until_it_is_mended(
    tmp_path: Path,
    exported: Exported,
    warned: Callable[[], list[str]],
    damage: Callable[[Path], object],
    reason: str,
) -> None:
    initial, place = copy_model(exported(1.0), tmp_path / "initial"), tmp_path / "new/1"
    watching = Watcher(ModelWatch(f"{tmp_path}/new/*", 1e6, initial))
    copy_model(exported(2.0), place)
    damage(place)

    for _ in range(3):
        watching.look()

    assert watching.current == initial
    assert watching.drain_news() == [News.REFUSED]
    (warning,) = warned()
    assert warning.startswith(f"model {place} is refused, {initial.identity} stays: ")
    assert reason in warning
    assert "\n" not in warning

    mended = copy_model(exported(2.0), place)
    watching.look()
    watching.look()

    assert watching.current == mended
    assert watching.drain_news() == [News.SWAPPED]
    assert warned() == [warning]
