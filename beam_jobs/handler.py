"""Model handlers: a batch of examples in, the probability of `positive` for each out."""

import abc
import logging
import math
from collections.abc import Sequence
from typing import Any, TypeVar

import numpy as np
from apache_beam.ml.inference.base import ModelHandler
from numpy.typing import NDArray

from beam_jobs import metrics
from model.batches import pad
from model.savedmodel import ScoringModel, load

TokenIds = NDArray[np.int32]
ExampleT = TypeVar("ExampleT")
ModelT = TypeVar("ModelT")

_LOGGER = logging.getLogger(__name__)


class ProbabilityHandler(ModelHandler[ExampleT, float, ModelT]):
    """What every handler of the job shares: no review pays for another one.

    Predictions are probabilities of `positive`, 0..1, one for each example and in their order;
    NaN where the model failed on that example even on its own.
    """

    @abc.abstractmethod
    def probabilities(self, batch: Sequence[ExampleT], model: ModelT) -> Sequence[float]:
        """Calls the model once."""

    def run_inference(
        self,
        batch: Sequence[ExampleT],
        model: ModelT,
        inference_args: dict[str, Any] | None = None,
    ) -> Sequence[float]:
        """Calls the model; where it refuses a batch, tries the examples one by one.

        Raises:
            ValueError: the model gave another number of probabilities than it was given examples.
                Pairing them would score the wrong reviews.
        """
        metrics.BATCH_REVIEWS.update(len(batch))
        try:
            result = self.probabilities(batch, model)
        except Exception as error:
            if len(batch) == 1:
                _LOGGER.error("the model failed on a review: %s", type(error).__name__)
                return [math.nan]
            return [self.run_inference([example], model)[0] for example in batch]
        if len(result) != len(batch):
            raise ValueError(f"the model gave {len(result)} probabilities for {len(batch)} reviews")
        return result

    def get_metrics_namespace(self) -> str:
        return metrics.NAMESPACE


class SavedModelHandler(ProbabilityHandler[TokenIds, ScoringModel]):
    """Runs the `token_ids` signature of an artifact of `model.savedmodel`.

    Examples are arrays of int32 token ids, shape (tokens,), special tokens included.
    """

    def __init__(self, directory: str) -> None:
        super().__init__()
        self._directory = directory

    def load_model(self) -> ScoringModel:
        return load(self._directory)

    def probabilities(self, batch: Sequence[TokenIds], model: ScoringModel) -> Sequence[float]:
        padded = pad(batch)
        metrics.COMPUTED_TOKENS.inc(padded.size)
        metrics.PADDING_TOKENS.inc(padded.size - sum(map(len, batch)))
        return model.probabilities(padded).tolist()

    def get_num_bytes(self, batch: Sequence[TokenIds]) -> int:
        return sum(ids.nbytes for ids in batch)
