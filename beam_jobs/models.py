"""The models of a process: each loaded once and shared by all its steps.

Local runners make a step anew for every bundle, so what is dear to make must outlive the steps.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from beam_jobs.model_files import model_at_hand
from model.fingerprint import check_sha256
from model.savedmodel import ScoringModel, load
from model.tokenizer import Tokenizer

T = TypeVar("T")

KEPT_MODELS = 3
"""In memory: the one in use, the one before it, whose reviews may be on their way, and a spare."""


class ModelVersion(NamedTuple):
    """Which model.

    Attributes:
        directory: where it was found; a path, or a URL of one of Beam's file systems.
        identity: how rows name it, as `name@fingerprint`.
        sha256: its fingerprint, 64 hex digits; nothing else is loaded from the directory.
        threshold: the least probability that it labels positive, from its card; the fingerprint
            vouches for it too.
    """

    directory: str
    identity: str
    sha256: str
    threshold: float


class LoadedModel(NamedTuple):
    """A model in memory; it doesn't need its files any more.

    Attributes:
        version: which one it is.
        tokenizer: makes its token ids.
        network: turns them into probabilities.
    """

    version: ModelVersion
    tokenizer: Tokenizer
    network: ScoringModel


class Models:
    """Tokenizers and networks by version; where only one of the two is needed, only it is loaded.

    A model that isn't in memory is loaded from its directory, and only if that holds the very
    same model: what would give other scores under the same name is refused.
    """

    def __init__(self) -> None:
        self._tokenizers = _Recent(_load_tokenizer)
        self._networks = _Recent(_load_network)

    def tokenizer(self, version: ModelVersion) -> Tokenizer:
        """The tokenizer of a model.

        Raises:
            UserError: the directory doesn't hold that model, or holds a damaged one.
            OSError: its files can't be copied from where they are.
        """
        return self._tokenizers.get(version)

    def network(self, version: ModelVersion) -> ScoringModel:
        """The network of a model; raises what `tokenizer` does."""
        return self._networks.get(version)

    def keep(self, loaded: LoadedModel) -> None:
        """Adds a model that was loaded elsewhere."""
        self._tokenizers.put(loaded.version, loaded.tokenizer)
        self._networks.put(loaded.version, loaded.network)


class _Recent(Generic[T]):
    """What was made of the few models used last; made once, however many threads ask."""

    def __init__(self, make: Callable[[ModelVersion], T]) -> None:
        self._make = make
        self._made: OrderedDict[str, T] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, version: ModelVersion) -> T:
        with self._lock:
            if version.sha256 not in self._made:
                self._put(version.sha256, self._make(version))
            self._made.move_to_end(version.sha256)
            return self._made[version.sha256]

    def put(self, version: ModelVersion, made: T) -> None:
        with self._lock:
            self._put(version.sha256, made)

    def _put(self, sha256: str, made: T) -> None:
        self._made[sha256] = made
        self._made.move_to_end(sha256)
        if len(self._made) > KEPT_MODELS:
            self._made.popitem(last=False)


def _load_tokenizer(version: ModelVersion) -> Tokenizer:
    with model_at_hand(version.directory) as path:
        check_sha256(path, version.sha256)
        return Tokenizer.from_artifact(path)


def _load_network(version: ModelVersion) -> ScoringModel:
    with model_at_hand(version.directory) as path:
        check_sha256(path, version.sha256)
        return load(path)


MODELS = Models()
"""Those of this process."""
