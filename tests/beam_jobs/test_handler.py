from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beam_jobs.calls import Network
from beam_jobs.handler import Example, SavedModelHandler
from beam_jobs.model_watch import ModelWatch
from beam_jobs.models import MODELS, Models, ModelVersion
from beam_jobs.tfx_engine import TfxHandler
from model.tfx import StringSignature
from schemas.errors import UserError
from tests.beam_jobs.word_models import sigmoid, version_of

ONE = ModelVersion("models/1", "m@1", "1", 0.5)
OTHER = ModelVersion("models/2", "m@2", "2", 0.8)


class Recorder:
    """A network that notes what it is given."""

    def __init__(self) -> None:
        self.calls: list[list[list[int]]] = []

    def probabilities(self, ids: np.ndarray) -> np.ndarray:
        self.calls.append(ids.tolist())
        return np.linspace(0.25, 0.75, len(ids), dtype=np.float32)


class Shelf(Models):
    """Models by name; the others can't be had."""

    def __init__(self, networks: Mapping[ModelVersion, Recorder]) -> None:
        super().__init__()
        self.networks = dict(networks)

    def network(self, version: ModelVersion) -> Any:
        if version not in self.networks:
            raise UserError(f"no model at {version.directory}")
        return self.networks[version]


def example(model: ModelVersion, *ids: int) -> Example:
    return Example(np.array(ids, np.int32), model)


def handler() -> SavedModelHandler:
    return SavedModelHandler(ModelWatch("", 60.0, ONE), "auto")


def test_the_model_sees_padded_ids() -> None:
    network = Recorder()
    batch = [example(ONE, 101, 7, 102), example(ONE, 101, 102)]

    result = handler().run_inference(batch, Shelf({ONE: network}))

    assert network.calls == [[[101, 7, 102], [101, 102, 0]]]
    assert result == [0.25, 0.75]


def test_reviews_are_scored_by_the_model_that_they_were_tokenized_for() -> None:
    one, other = Recorder(), Recorder()
    shelf = Shelf({ONE: one, OTHER: other})

    handler().run_inference([example(OTHER, 101, 8, 102)], shelf)
    assert (one.calls, other.calls) == ([], [[[101, 8, 102]]])

    handler().run_inference([example(ONE, 101, 7, 102), example(OTHER, 101, 9, 102)], shelf)
    assert one.calls == [[[101, 7, 102]]]
    assert other.calls[1:] == [[[101, 9, 102]]]


def test_a_model_that_cannot_be_had_is_not_held_against_the_reviews() -> None:
    with pytest.raises(UserError, match="no model at models/2"):
        handler().run_inference([example(OTHER, 101, 102)], Shelf({ONE: Recorder()}))


def test_what_could_have_either_label_is_scored_alone() -> None:
    class Close(Recorder):
        def probabilities(self, ids: np.ndarray) -> np.ndarray:
            super().probabilities(ids)
            return np.array([0.4995] * len(ids) if len(ids) > 1 else [0.5001], np.float32)

    network = Close()

    result = handler().run_inference(
        [example(ONE, 101, 7, 102), example(ONE, 101, 102)], Shelf({ONE: network})
    )

    # Alone, a review isn't padded.
    assert network.calls == [[[101, 7, 102], [101, 102, 0]], [[101, 7, 102]], [[101, 102]]]
    assert result == pytest.approx([0.5001, 0.5001])

    network.calls.clear()
    of_other = [example(OTHER, 101, 7, 102), example(OTHER, 101, 102)]
    assert handler().run_inference(of_other, Shelf({OTHER: network})) == pytest.approx([0.4995] * 2)
    assert len(network.calls) == 1  # far from the threshold of this model


def test_the_other_engine_has_the_threshold_of_its_model_too() -> None:
    calls: list[int] = []

    class Close(TfxHandler):
        def network(self, batch: Sequence[bytes], model: object) -> Network[bytes]:
            def probabilities(part: Sequence[bytes]) -> list[float]:
                calls.append(len(part))
                return [0.7995] * len(part) if len(part) > 1 else [0.8001]

            return probabilities

    signature = StringSignature("examples", "text", "positive_probability", -1)

    assert Close(OTHER, signature, "auto").run_inference([b"a", b"b"], None) == [0.8001, 0.8001]
    assert calls == [2, 1, 1]
    assert Close(ONE, signature, "auto").run_inference([b"a", b"b"], None) == [0.7995, 0.7995]


def test_a_model_that_is_given_up_while_a_batch_is_scored_stays_until_its_end() -> None:
    """Its directory may be gone; that would be held against the reviews."""

    class Fussy(Recorder):
        def probabilities(self, ids: np.ndarray) -> np.ndarray:
            shelf.networks.pop(ONE, None)
            if len(ids) > 1:
                raise RuntimeError("a fault of the network")
            return super().probabilities(ids)

    shelf = Shelf({ONE: Fussy()})

    result = handler().run_inference([example(ONE, 101, 102)] * 3, shelf)

    assert result == [0.25, 0.25, 0.25]


def test_what_is_loaded_first_is_the_current_model(exported: Callable[[float], Path]) -> None:
    version = version_of(exported(1.0))

    known = SavedModelHandler(ModelWatch("", 60.0, version), "auto").load_model()

    assert known is MODELS
    ids = known.tokenizer(version).tokenize(["good good"]).values
    (probability,) = handler().run_inference([Example(ids, version)], known)
    assert probability == pytest.approx(sigmoid(2.0), abs=1e-6)
