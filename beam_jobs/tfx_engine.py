"""The second engine: tfx-bsl's own model handler, for any SavedModel with one string input."""

from collections.abc import Sequence
from typing import Any

from apache_beam.ml.inference.base import ModelHandler

from beam_jobs.handler import ProbabilityHandler
from beam_jobs.model_files import local_model
from model.runtime import prepare_devices
from model.tfx import StringSignature, probability


class TfxHandler(ProbabilityHandler[bytes, Any]):
    """Runs a signature with one string input through tfx-bsl.

    Examples are the bytes that the signature takes: UTF-8 text, or a serialized tf.train.Example.
    """

    def __init__(self, directory: str, signature: StringSignature, precision: str) -> None:
        """
        Args:
            directory: the model; a path, or a URL of one of Beam's file systems.
            signature: what to call.
            precision: one of `model.runtime.PRECISIONS`.
        """
        super().__init__()
        self._directory = directory
        self._signature = signature
        self._precision = precision
        self._handler: ModelHandler | None = None

    def load_model(self) -> Any:
        prepare_devices(self._precision)
        return self._tfx_handler().load_model()

    def probabilities(self, batch: Sequence[bytes], model: Any) -> Sequence[float]:
        predictions = self._tfx_handler().run_inference(list(batch), model)
        output, index = self._signature.output, self._signature.index
        return [probability(prediction, output, index) for prediction in predictions]

    def get_num_bytes(self, batch: Sequence[bytes]) -> int:
        return sum(map(len, batch))

    def _tfx_handler(self) -> ModelHandler:
        """Made where it runs: it reads the model, and tfx-bsl imports TensorFlow."""
        if self._handler is None:
            from tfx_bsl.public.beam.run_inference import CreateModelHandler
            from tfx_bsl.public.proto import model_spec_pb2

            spec = model_spec_pb2.InferenceSpecType(
                saved_model_spec=model_spec_pb2.SavedModelSpec(
                    model_path=str(local_model(self._directory)),
                    signature_name=[self._signature.name],
                )
            )
            self._handler = CreateModelHandler(spec)
        return self._handler

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_handler": None}
