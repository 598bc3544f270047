"""Model handlers: a batch of examples in, the probability of `positive` for each out."""

import abc
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

import numpy as np
from apache_beam.ml.inference.base import ModelHandler
from numpy.typing import NDArray

from beam_jobs import metrics
from beam_jobs.calls import MEMORY_LIMIT, Network, score
from beam_jobs.model_watch import ModelWatch, watcher
from beam_jobs.models import MODELS, Models, ModelVersion
from model.batches import pad
from model.runtime import prepare_devices
from model.savedmodel import ScoringModel

TokenIds = NDArray[np.int32]
ExampleT = TypeVar("ExampleT")
ModelT = TypeVar("ModelT")


class ProbabilityHandler(ModelHandler[ExampleT, float, ModelT]):
    """What every handler of the job shares: how a model is called, see `beam_jobs.calls.score`.

    Predictions are probabilities of `positive`, 0..1, one for each example and in their order;
    NaN where the model failed on that example even on its own. What is outside of 0..1 is passed
    on as the model gave it.
    """

    @abc.abstractmethod
    def network(self, batch: Sequence[ExampleT], model: ModelT) -> Network[ExampleT]:
        """What scores a batch and parts of it.

        Raises:
            UserError, OSError: the model can't be had. That is no fault of the reviews: the runner
                is to try again, or to fail.
        """

    @abc.abstractmethod
    def tokens(self, example: ExampleT) -> int:
        """The length of an example, as the model pads it."""

    @abc.abstractmethod
    def threshold(self, example: ExampleT) -> float:
        """The least probability that the model of an example labels positive."""

    def run_inference(
        self,
        batch: Sequence[ExampleT],
        model: ModelT,
        inference_args: dict[str, Any] | None = None,
    ) -> Sequence[float]:
        """Scores a batch.

        Raises:
            UserError, OSError: the model can't be had.
            UserError: it gives something other than a number for each example.
        """
        network = self.network(batch, model)
        return score(batch, network, self.tokens, self.threshold, MEMORY_LIMIT)

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

    def network(self, batch: Sequence[Example], model: Models) -> Network[Example]:
        networks = {version: model.network(version) for version in _versions(batch)}
        return partial(_probabilities, networks)

    def tokens(self, example: Example) -> int:
        return len(example.token_ids)

    def threshold(self, example: Example) -> float:
        return example.model.threshold

    def get_num_bytes(self, batch: Sequence[Example]) -> int:
        return sum(example.token_ids.nbytes for example in batch)


def _probabilities(
    networks: Mapping[ModelVersion, ScoringModel], batch: Sequence[Example]
) -> Sequence[float]:
    (version,) = _versions(batch)
    rows = [example.token_ids for example in batch]
    padded = pad(rows)
    metrics.COMPUTED_TOKENS.inc(padded.size)
    metrics.PADDING_TOKENS.inc(padded.size - sum(map(len, rows)))
    return networks[version].probabilities(padded).tolist()


def _versions(batch: Sequence[Example]) -> set[ModelVersion]:
    return {example.model for example in batch}
