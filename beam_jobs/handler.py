"""Model handlers: a batch of examples in, the probability of `positive` for each out."""

import abc
import logging
import math
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from apache_beam.ml.inference.base import ModelHandler
from numpy.typing import NDArray

from beam_jobs import metrics
from beam_jobs.model_watch import ModelWatch, watcher
from beam_jobs.models import MODELS, Models, ModelVersion
from model.batches import pad
from model.runtime import prepare_devices

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


class Example(NamedTuple):
    """A review as the network takes it.

    Attributes:
        token_ids: int32 of shape (tokens,), special tokens included.
        model: whose token ids they are; no other model can score them.
    """

    token_ids: TokenIds
    model: ModelVersion


class SavedModelHandler(ProbabilityHandler[Example, Models]):
    """Runs the `token_ids` signature of artifacts of `model.savedmodel`.

    The examples of a batch belong to one model, and that one scores them, even where a newer one
    has become current since they were tokenized.
    """

    def __init__(self, watch: ModelWatch, precision: str) -> None:
        """
        Args:
            watch: which models to expect.
            precision: one of `model.runtime.PRECISIONS`.
        """
        super().__init__()
        self._watch = watch
        self._precision = precision

    def load_model(self) -> Models:
        """The models of this process, the current one already loaded."""
        prepare_devices(self._precision)
        MODELS.network(watcher(self._watch).current)
        return MODELS

    def run_inference(
        self,
        batch: Sequence[Example],
        model: Models,
        inference_args: dict[str, Any] | None = None,
    ) -> Sequence[float]:
        """Scores a batch.

        Raises:
            UserError, OSError: its model can be had neither from memory nor from its directory.
                That is no fault of the reviews: the runner is to try again, or to fail.
        """
        for version in {example.model for example in batch}:
            model.network(version)
        return super().run_inference(batch, model, inference_args)

    def probabilities(self, batch: Sequence[Example], model: Models) -> Sequence[float]:
        (version,) = {example.model for example in batch}
        rows = [example.token_ids for example in batch]
        padded = pad(rows)
        metrics.COMPUTED_TOKENS.inc(padded.size)
        metrics.PADDING_TOKENS.inc(padded.size - sum(map(len, rows)))
        return model.network(version).probabilities(padded).tolist()

    def get_num_bytes(self, batch: Sequence[Example]) -> int:
        return sum(example.token_ids.nbytes for example in batch)
