"""Modules that can't be used as an encoder."""

from collections.abc import Callable
from pathlib import Path

import pytest
import tensorflow as tf

from model.hub_encoder import HubEncoder
from schemas.errors import UserError
from tests.model.conftest import TOY_LENGTH, Toy
from tests.model.hub.modules import IDS, NAMES, Odd, Tensors, refusal


def test_nothing_wrong(odd: Odd, target: Path, toy_vocabulary: Path) -> None:
    """What the other tests put something wrong into."""
    module = HubEncoder(odd.save(target))
    assert module.trainable
    assert module.vocabulary.read_bytes() == toy_vocabulary.read_bytes()
    module.build(2000)


def without(name: str) -> Callable[[Odd], Callable[..., Tensors]]:
    def make(odd: Odd) -> Callable[..., Tensors]:
        def call(inputs: Tensors, training: bool = False) -> Tensors:
            outputs = odd.call(inputs)
            return {key: value for key, value in outputs.items() if key != name}

        return call

    return make


def rounded(odd: Odd) -> Callable[..., Tensors]:
    def call(inputs: Tensors, training: bool = False) -> Tensors:
        return {name: tf.cast(value, tf.int32) for name, value in odd.call(inputs).items()}

    return call


def pooled_alone(odd: Odd) -> Callable[..., tf.Tensor]:
    return lambda inputs, training=False: odd.call(inputs)["pooled_output"]


def swapped(odd: Odd) -> Callable[..., Tensors]:
    def call(inputs: Tensors, training: bool = False) -> Tensors:
        outputs = odd.call(inputs)
        return dict(zip(outputs, reversed(outputs.values()), strict=True))

    return call


@pytest.mark.parametrize(
    "call",
    [without("pooled_output"), without("sequence_output"), rounded, pooled_alone, swapped],
)
def test_other_outputs(odd: Odd, target: Path, call: Callable[[Odd], Callable]) -> None:
    assert "isn't BERT" in refusal(odd.save(target, call(odd)))


TEXTS = tf.TensorSpec([None], tf.string, "texts")
FLOATS = {name: tf.TensorSpec([None, None], tf.float32, name) for name in NAMES}


@pytest.mark.parametrize(
    "takes",
    [TEXTS, list(IDS.values()), {NAMES[0]: IDS[NAMES[0]]}, FLOATS],
    ids=["texts", "list", "ids alone", "floats"],
)
def test_other_inputs(odd: Odd, target: Path, takes: object) -> None:
    def call(inputs: object, training: bool = False) -> Tensors:
        first = tf.nest.flatten(inputs)[0]
        if first.dtype == tf.string:
            first = tf.strings.length(first)[:, tf.newaxis]
        return odd.outputs(tf.cast(first, tf.int32))

    message = refusal(odd.save(target, call, takes))
    assert "isn't BERT" in message
    assert all(name in message for name in (*NAMES, "pooled_output", "sequence_output"))


def test_a_model_of_train_sentiment(toy: Toy) -> None:
    assert "isn't BERT" in refusal(toy.directory)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("vocab_file", None),
        ("vocab_file", tf.Variable(1)),
        ("do_lower_case", None),
        ("do_lower_case", tf.Variable([True, False])),
    ],
)
def test_no_word_of_its_tokens(
    odd: Odd, target: Path, name: str, value: tf.Variable | None
) -> None:
    del odd.attributes[name]
    if value is not None:
        odd.attributes[name] = value
    message = refusal(odd.save(target))
    assert "doesn't tell how texts become tokens" in message
    assert name in message


def test_a_lost_vocabulary(odd: Odd, target: Path) -> None:
    odd.save(target)
    (target / "assets" / "vocab.txt").unlink()
    assert "has lost its vocabulary" in refusal(target)


def test_a_vocabulary_without_special_tokens(odd: Odd, target: Path) -> None:
    odd.save(target)
    (target / "assets" / "vocab.txt").write_text("good\nbad\n")
    assert "lacks [PAD]" in refusal(target)


@pytest.mark.parametrize("name", ["word_embeddings", "table"])
def test_a_vocabulary_larger_than_the_embeddings(
    toy_vocabulary: Path, target: Path, name: str
) -> None:
    """With a table that can be told by its name, and with one that can't."""
    message = refusal(Odd(toy_vocabulary, rows=17, name=name).save(target))
    assert "has 18 word pieces, for which its word embeddings don't suffice" in message


def no_training(odd: Odd) -> tuple[bool, ...]:
    return (False,)


def no_variables(odd: Odd) -> tuple[bool, ...]:
    odd.attributes["trainable_variables"] = []
    return (True, False)


def plain_module(odd: Odd) -> tuple[bool, ...]:
    for name in ("variables", "trainable_variables", "regularization_losses"):
        del odd.attributes[name]
    odd.attributes["table"] = odd.table
    return (True, False)


@pytest.mark.parametrize("spoil", [no_training, no_variables, plain_module])
def test_modules_that_can_not_be_trained(
    odd: Odd, target: Path, spoil: Callable[[Odd], tuple[bool, ...]]
) -> None:
    module = HubEncoder(odd.save(target, modes=spoil(odd)))
    assert module.trainable is False
    with pytest.raises(UserError, match="can't be trained: use --freeze_encoder"):
        module.check_trainable()
    encoder = module.build(TOY_LENGTH)
    assert encoder.trainable_variables == []
    ids = tf.ones([2, 3], tf.int32)
    assert encoder(dict.fromkeys(NAMES, ids), training=True)["pooled_output"].shape == [2, 4]


@pytest.mark.parametrize("positions", [3, 600])
def test_more_tokens_than_positions(odd: Odd, target: Path, positions: int) -> None:
    def call(inputs: Tensors, training: bool = False) -> Tensors:
        ids = inputs["input_word_ids"]
        table = tf.ones([positions, 4])
        outputs = odd.outputs(ids)
        states = outputs["sequence_output"] + tf.slice(table, [0, 0], [tf.shape(ids)[1], 4])
        return {**outputs, "sequence_output": states}

    module = HubEncoder(odd.save(target, call))
    module.build(positions)
    for length in (positions + 1, 100_000):
        with pytest.raises(UserError, match=f"--max_length {length}: the module .* can't take"):
            module.build(length)
