import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from beam_jobs.handler import Example, ProbabilityHandler, SavedModelHandler
from beam_jobs.model_watch import ModelWatch
from beam_jobs.models import MODELS, Models, ModelVersion
from schemas.errors import UserError
from tests.beam_jobs.word_models import sigmoid, version_of

ONE, OTHER = ModelVersion("models/1", "m@1"), ModelVersion("models/2", "m@2")


class Doubler(ProbabilityHandler[float, None]):
    """A model that doubles; it refuses batches that hold a negative number."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[int] = []

    def load_model(self) -> None:
        return None

    def probabilities(self, batch: Sequence[float], model: None) -> Sequence[float]:
        self.calls.append(len(batch))
        if min(batch) < 0:
            raise RuntimeError("negative")
        return [2 * number for number in batch]


def test_a_batch_is_one_call() -> None:
    handler = Doubler()

    assert handler.run_inference([0.1, 0.2], None) == [0.2, 0.4]
    assert handler.calls == [2]


def test_a_bad_example_costs_no_other_its_score() -> None:
    first, bad, last = Doubler().run_inference([0.1, -1.0, 0.3], None)

    assert (first, last) == (0.2, 0.6)
    assert math.isnan(bad)


def test_a_model_that_gives_too_few_never_pairs_them_wrongly() -> None:
    class Short(Doubler):
        def probabilities(self, batch: Sequence[float], model: None) -> Sequence[float]:
            return batch[1:]

    with pytest.raises(ValueError, match="2 probabilities for 3 reviews"):
        Short().run_inference([0.1, 0.2, 0.3], None)


class Recorder:
    """A network that notes what it is given."""

    def __init__(self) -> None:
        self.calls: list[list[list[int]]] = []

    def probabilities(self, ids: np.ndarray) -> np.ndarray:
        self.calls.append(ids.tolist())
        return np.linspace(0.25, 0.5, len(ids), dtype=np.float32)


class Shelf(Models):
    """Models by name; the others can't be had."""

    def __init__(self, networks: Mapping[ModelVersion, Recorder]) -> None:
        super().__init__()
        self.networks = networks

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
    assert result == [0.25, 0.5]


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


def test_what_is_loaded_first_is_the_current_model(exported: Callable[[float], Path]) -> None:
    version = version_of(exported(1.0))

    known = SavedModelHandler(ModelWatch("", 60.0, version), "auto").load_model()

    assert known is MODELS
    ids = known.tokenizer(version).tokenize(["good good"]).values
    (probability,) = handler().run_inference([Example(ids, version)], known)
    assert probability == pytest.approx(sigmoid(2.0), abs=1e-6)
