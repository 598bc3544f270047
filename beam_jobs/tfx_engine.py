"""The second engine: tfx-bsl's own model handler, for any SavedModel with one string input."""

import itertools
from collections.abc import Sequence
from functools import partial
from typing import Any

from apache_beam.ml.inference.base import ModelHandler

from beam_jobs.calls import Network
from beam_jobs.handler import ProbabilityHandler
from beam_jobs.model_files import model_at_hand
from beam_jobs.models import ModelVersion
from model.fingerprint import check_sha256
from model.parallel import in_parts
from model.runtime import calls_at_once, memory_errors, prepare_devices
from model.tfx import StringSignature, probability

BYTES_PER_TOKEN = 4
"""Of English text, roughly."""


def guessed_tokens(example: bytes) -> int:
    """About how many tokens a model that tokenizes for itself makes of an example."""
    return len(example) // BYTES_PER_TOKEN + 1


class TfxHandler(ProbabilityHandler[bytes, Any]):
    """Runs a signature with one string input through tfx-bsl.

    Examples are the bytes that the signature takes: UTF-8 text, or a serialized tf.train.Example.
    """

    def __init__(self, version: ModelVersion, signature: StringSignature, precision: str) -> None:
        """
        Args:
            version: the model.
            signature: what to call.
            precision: one of `model.runtime.PRECISIONS`.
        """
        super().__init__()
        self._version = version
        self._signature = signature
        self._precision = precision
        self._handler: ModelHandler | None = None

    def load_model(self) -> Any:
        prepare_devices(self._precision)
        self._handler = None  # what is loaded now must be checked now
        return self._tfx_handler().load_model()

    def network(self, batch: Sequence[bytes], model: Any) -> Network[bytes]:
        return partial(_probabilities, self._tfx_handler(), self._signature, model)

    def tokens(self, example: bytes) -> int:
        return guessed_tokens(example)

    def threshold(self, example: bytes) -> float:
        return self._version.threshold

    def get_num_bytes(self, batch: Sequence[bytes]) -> int:
        return sum(map(len, batch))

    def _tfx_handler(self) -> ModelHandler:
        """Made where it runs: it reads the model, and tfx-bsl imports TensorFlow."""
        if self._handler is None:
            from tfx_bsl.public.beam.run_inference import CreateModelHandler
            from tfx_bsl.public.proto import model_spec_pb2

            with model_at_hand(self._version.directory) as path:
                check_sha256(path, self._version.sha256)
                spec = model_spec_pb2.InferenceSpecType(
                    saved_model_spec=model_spec_pb2.SavedModelSpec(
                        model_path=str(path), signature_name=[self._signature.name]
                    )
                )
                self._handler = CreateModelHandler(spec)
        return self._handler

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handler": None}


def _probabilities(
    handler: ModelHandler, signature: StringSignature, model: Any, batch: Sequence[bytes]
) -> Sequence[float]:
    def call(part: Sequence[bytes]) -> list[float]:
        with memory_errors():
            predictions = handler.run_inference(list(part), model)
        return [probability(found, signature.output, signature.index) for found in predictions]

    tokens = sum(map(guessed_tokens, batch))
    return list(itertools.chain(*in_parts(call, batch, tokens, calls_at_once())))
