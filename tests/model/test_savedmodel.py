from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from model.batches import padded
from model.card import default_model_directory, read_card
from model.data import held_out
from model.evaluation import predict
from model.labelled_reviews import LabelledReview
from model.metrics import measure
from model.savedmodel import ScoringModel
from model.tokenized import tokenize_reviews
from model.tokenizer import Tokenizer
from tests.model import reference

ODD_TEXTS = ["", "!", "good", "word " * 700, "電影 🎬 naïve", "<br /><br />", "\x00\x97"]


@pytest.fixture(scope="session")
def network() -> Any:
    return tf.saved_model.load(str(default_model_directory()))


@pytest.fixture(scope="session")
def texts(imdb: list[LabelledReview]) -> list[str]:
    return ODD_TEXTS + [review.text for review in imdb[::2000]]


def weights_of(network: Any) -> dict[str, np.ndarray]:
    # As float64: sums of float16 would be float16.
    return {
        weight.name.removesuffix(":0"): weight.numpy().astype(np.float64)
        for weight in network.weights
    }


def examples(texts: list[str]) -> tf.Tensor:
    def example(text: str) -> bytes:
        value = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()]))
        return tf.train.Example(
            features=tf.train.Features(feature={"text": value})
        ).SerializeToString()

    return tf.constant([example(text) for text in texts])


def test_signatures_agree(
    network: Any, bundled: ScoringModel, bundled_tokenizer: Tokenizer, texts: list[str]
) -> None:
    tokens = bundled_tokenizer.tokenize(texts)
    from_ids = bundled.probabilities(padded(tokens, np.arange(len(texts))))
    from_text = network.signatures["serving_default"](text=tf.constant(texts))
    from_examples = network.signatures["examples"](examples=examples(texts))
    for outputs in (from_text, from_examples):
        assert set(outputs) == {"positive_probability", "token_count", "truncated"}
        np.testing.assert_allclose(outputs["positive_probability"], from_ids, atol=1e-5)
        np.testing.assert_array_equal(outputs["token_count"], tokens.token_counts)
        np.testing.assert_array_equal(outputs["truncated"], tokens.token_counts > 254)
    assert from_text["token_count"].dtype == tf.int32
    assert from_text["truncated"].numpy().any()


def test_network_equals_one_written_in_numpy(
    network: Any, bundled: ScoringModel, bundled_tokenizer: Tokenizer, texts: list[str]
) -> None:
    ids = padded(bundled_tokenizer.tokenize(texts), np.arange(len(texts)))
    expected = reference.probabilities(weights_of(network), ids, layers=2, heads=2)
    np.testing.assert_allclose(bundled.probabilities(ids), expected, atol=1e-5)


@settings(deadline=None, max_examples=25)
@given(data=st.data())
def test_neighbours_and_padding_change_nothing(
    bundled: ScoringModel, bundled_tokenizer: Tokenizer, texts: list[str], data: st.DataObject
) -> None:
    tokens = bundled_tokenizer.tokenize(texts)
    alone = [bundled.probabilities(padded(tokens, np.array([row])))[0] for row in range(6)]
    rows = data.draw(st.lists(st.integers(0, 5), min_size=1, max_size=12))
    ids = padded(tokens, np.array(rows))
    room = 256 - ids.shape[1]
    ids = np.pad(ids, [(0, 0), (0, data.draw(st.integers(0, room)))])
    np.testing.assert_allclose(bundled.probabilities(ids), [alone[row] for row in rows], atol=1e-5)


def test_padding_hardly_rounds(bundled: ScoringModel, bundled_tokenizer: Tokenizer) -> None:
    ids = padded(bundled_tokenizer.tokenize(["A dull film with a good end."]), np.array([0]))
    longest = np.pad(ids, [(0, 0), (0, 256 - ids.shape[1])])
    difference = np.abs(bundled.probabilities(ids) - bundled.probabilities(longest))
    assert difference.max() <= 1e-6


def test_knows_good_from_bad(bundled: ScoringModel, bundled_tokenizer: Tokenizer) -> None:
    tokens = bundled_tokenizer.tokenize(
        [
            "A wonderful film, beautifully acted. I loved it.",
            "Dull, badly written, a waste of time.",
        ]
    )
    good, bad = predict(bundled.probabilities, tokens)
    assert good > 0.9
    assert bad < 0.1


@pytest.mark.slow
def test_bundled_accuracy(
    imdb: list[LabelledReview], bundled: ScoringModel, bundled_tokenizer: Tokenizer
) -> None:
    card = read_card(default_model_directory()).raw
    seed, share = card["data"]["split_seed"], card["data"]["validation_share"]
    validation = (review for review in imdb if held_out(review.text, seed, share))
    tokenized = tokenize_reviews(validation, bundled_tokenizer)
    metrics = measure(predict(bundled.probabilities, tokenized.tokens), tokenized.labels, 0.5)
    assert metrics.reviews == 5_000
    assert metrics.accuracy >= 0.88
    assert metrics.accuracy == pytest.approx(card["metrics"]["accuracy"], abs=4e-4)
    assert metrics.log_loss == pytest.approx(card["metrics"]["log_loss"], abs=1e-3)


def test_bundled_model_is_small_and_complete() -> None:
    directory = default_model_directory()
    files = [path for path in directory.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 12_000_000
    names = {path.relative_to(directory).as_posix() for path in files}
    assert names == {
        *("saved_model.pb", "fingerprint.pb", "assets/vocab.txt"),
        *("variables/variables.index", "variables/variables.data-00000-of-00001"),
        "assets.extra/model_card.json",
    }
