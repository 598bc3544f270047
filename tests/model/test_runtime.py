"""How networks compute, as far as a machine without a GPU can tell.

Options of TensorFlow hold for a process, so each test has one of its own.
"""

import os
import platform
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import pytest

from model import runtime, train
from model.batches import padded
from model.card import default_model_directory
from model.savedmodel import ScoringModel, load
from model.tokenizer import Tokenizer

InProcess = Callable[[Callable[[], Any]], Any]

TEXTS = [
    "Best flat white in town, and the staff is fine.",
    "not bad at all",
    "a",
    "I fell asleep after ten minutes, and so did my neighbour. " * 9,
]


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> InProcess:
    """Calls a function in a process in which TensorFlow has not run yet."""
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "1")

    def call(function: Callable[[], Any]) -> Any:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            return pool.submit(function).result()

    return call


def ids_of_texts() -> np.ndarray:
    tokens = Tokenizer.from_artifact(default_model_directory()).tokenize(TEXTS)
    return padded(tokens, np.arange(len(TEXTS)))


@pytest.mark.slow
def test_without_a_gpu_both_precisions_give_the_same_probabilities(in_process: InProcess) -> None:
    unsettled, auto, float32 = in_process(with_each_precision)

    np.testing.assert_array_equal(auto, unsettled)
    np.testing.assert_array_equal(float32, unsettled)


def with_each_precision() -> list[np.ndarray]:
    ids, network = ids_of_texts(), load(default_model_directory())
    found = [network.probabilities(ids)]
    for precision in runtime.PRECISIONS:
        runtime.prepare_devices(precision)
        found.append(network.probabilities(ids))
    return found


@pytest.mark.slow
@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="only there TensorFlow can rewrite graphs to half precision for CPUs",
)
def test_half_precision_reaches_signatures_in_threads_that_have_called_graphs_before(
    in_process: InProcess,
) -> None:
    float32, *half, half_from_text, float32_again = in_process(with_the_rewriting_for_cpus)

    assert 1e-6 < np.abs(half[0] - float32).max() < 0.01
    np.testing.assert_array_equal(half[1], half[0])
    np.testing.assert_allclose(half_from_text, half[0], atol=1e-5)
    np.testing.assert_array_equal(float32_again, float32)


def with_the_rewriting_for_cpus() -> list[np.ndarray]:
    """The same rewriting, to bfloat16 and for CPUs, on a machine said to have a GPU."""
    import tensorflow as tf

    runtime.HALF_PRECISION = "auto_mixed_precision_onednn_bfloat16"
    tf.config.list_physical_devices = lambda kind: [kind]
    with ThreadPoolExecutor(1) as other_thread:
        ids = other_thread.submit(ids_of_texts).result()
        network = load(default_model_directory())
        found = [network.probabilities(ids)]
        runtime.prepare_devices("auto")
        found.append(network.probabilities(ids))
        found.append(other_thread.submit(network.probabilities, ids).result())
        found.append(network.text_probabilities(TEXTS))
        runtime.prepare_devices("float32")
        found.append(other_thread.submit(network.probabilities, ids).result())
    return found


@pytest.mark.slow
def test_tensorflow_computes_all_products_in_half_precision_on_an_a100(
    in_process: InProcess,
) -> None:
    products, half, float32 = in_process(rewritten_for_an_a100)

    assert products == {"float16": 18}  # 2 layers of 6 and of 2 in attention, the pooler, the head
    assert 1e-6 < np.abs(half - float32).max() < 0.002


def rewritten_for_an_a100() -> tuple[Counter[str], np.ndarray, np.ndarray]:
    """Types of the products in the graph that TensorFlow makes for a GPU, and its results here."""
    import tensorflow as tf

    ids, network = ids_of_texts(), load(default_model_directory())
    graph = optimized(network, runtime.HALF_PRECISION)
    products = Counter(
        tf.as_dtype(node.attr["T"].type).name for node in graph.node if "MatMul" in node.op
    )
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    with (
        tf.Graph().as_default() as here,
        tf.compat.v1.Session(config=config, graph=here) as session,
    ):
        tf.import_graph_def(graph, name="")
        half = session.run("Identity:0", {"input_word_ids:0": ids})
    return products, half, network.probabilities(ids)


def optimized(network: ScoringModel, optimizer: str) -> Any:
    """The graph of a network after one of TensorFlow's optimizers, all of it on an A100."""
    import tensorflow as tf
    from tensorflow.core.protobuf.device_properties_pb2 import NamedDevice
    from tensorflow.python.framework import meta_graph
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2
    from tensorflow.python.grappler.cluster import Cluster
    from tensorflow.python.grappler.tf_optimizer import OptimizeGraph

    a100 = NamedDevice(name="/job:localhost/replica:0/task:0/device:GPU:0")
    a100.properties.type = "GPU"
    a100.properties.environment.update({"architecture": "8.0", "cuda": "12000", "cudnn": "9000"})
    graph = convert_variables_to_constants_v2(network._signature).graph.as_graph_def()
    for node in graph.node:
        node.device = a100.name
    with tf.Graph().as_default() as placed:
        tf.import_graph_def(graph, name="")
        whole = meta_graph.create_meta_graph_def(graph=placed)
    whole.collection_def["train_op"].node_list.value.append("Identity:0")
    config = tf.compat.v1.ConfigProto()
    config.graph_options.rewrite_options.optimizers.append(optimizer)
    cluster = Cluster(devices=[a100])
    try:
        return OptimizeGraph(config, whole, cluster=cluster)
    finally:
        cluster.Shutdown()


def test_gpu_memory_is_taken_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH", raising=False)

    runtime.import_tensorflow()

    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"


def test_operations_are_divided_among_threads_in_training_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(runtime.THREADS_OF_AN_OPERATION, raising=False)
    runtime.import_tensorflow()
    assert os.environ[runtime.THREADS_OF_AN_OPERATION] == "1"

    monkeypatch.delenv(runtime.THREADS_OF_AN_OPERATION)
    assert train.main(["describe"]) == 2
    assert os.environ[runtime.THREADS_OF_AN_OPERATION] == "0"
