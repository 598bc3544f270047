import math
from collections.abc import Sequence

import numpy as np
import pytest

from beam_jobs.handler import ProbabilityHandler, SavedModelHandler


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


def test_the_model_sees_padded_ids() -> None:
    class Recorder:
        def probabilities(self, ids: np.ndarray) -> np.ndarray:
            self.ids = ids
            return np.array([0.25, 0.5], np.float32)

    model = Recorder()
    batch = [np.array([101, 7, 102], np.int32), np.array([101, 102], np.int32)]

    result = SavedModelHandler("unused").run_inference(batch, model)  # type: ignore[arg-type]

    assert model.ids.tolist() == [[101, 7, 102], [101, 102, 0]]
    assert result == [0.25, 0.5]
