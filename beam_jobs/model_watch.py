"""A newer model while the job runs: found, tried, and taken without a restart.

Beam's own way, `model_metadata_pcoll` with `WatchFilePattern`, doesn't fit: it exchanges what the
handler loads and nothing else, untried, and the job fails where that can't be loaded; here
vocabulary, casing and length may change with the network, so both change together or not at all.
"""

import contextlib
import gc
import logging
import math
import threading
import time
from collections import deque
from dataclasses import dataclass
from enum import Enum

from beam_jobs.model_files import Candidate, FileState, candidates, file_states
from beam_jobs.model_trial import tried_model
from beam_jobs.models import MODELS, ModelVersion
from schemas.errors import UserError

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelWatch:
    """Which models a job scores with.

    Attributes:
        pattern: directories that may hold a model, as in `gs://bucket/models/*`; empty where
            `initial` is the only one.
        interval_seconds: time between two looks.
        initial: scores until the pattern matches a good model.
    """

    pattern: str
    interval_seconds: float
    initial: ModelVersion


class News(Enum):
    """What came of looking."""

    SWAPPED = "swapped"
    REFUSED = "refused"


class Watcher:
    """A watch at work in this process. Everything about it may be called from any thread.

    A model is taken only as a whole: loaded, tried, kept in memory, and then published by one
    assignment. From then on nothing depends on its files: reviews that were tokenized for a model
    are scored by that model, whatever became of its directory meanwhile. What happens to the
    directory of the current model doesn't bring an older one back; to go back, write the older
    model to a new directory.
    """

    def __init__(self, watch: ModelWatch) -> None:
        """Looks once, so that the job begins with the newest good model, and then again and again.

        Args:
            watch: where to look, and how often.
        """
        self._watch = watch
        self._current = watch.initial
        self._newest = Candidate(-math.inf, "")
        self._seen: dict[str, frozenset[FileState]] = {}
        self._refused: dict[str, frozenset[FileState]] = {}
        self._trouble = ""
        self._news: deque[News] = deque()
        self._looking = threading.Lock()
        if watch.pattern:
            self._begin()

    @property
    def current(self) -> ModelVersion:
        """What to score with now."""
        return self._current

    def look(self) -> None:
        """Looks for a newer model now; takes it if it is good and unchanged since the last look."""
        with self._looking:
            before = self._current.identity
            self._take_newest(beginning=False)
            if self._current.identity != before:
                _LOGGER.info("model %s -> %s", before, self._current.identity)
                self._news.append(News.SWAPPED)

    def drain_news(self) -> list[News]:
        """What happened since the last call, in order.

        Steps count it: a counter of Beam's works only on a thread that processes elements.
        """
        news = []
        with contextlib.suppress(IndexError):
            while True:
                news.append(self._news.popleft())
        return news

    def _begin(self) -> None:
        self._take_newest(beginning=True)
        _LOGGER.info("beginning with model %s", self._current.identity)
        threading.Thread(target=self._keep_looking, name="model-watch", daemon=True).start()

    def _keep_looking(self) -> None:
        while True:
            time.sleep(self._watch.interval_seconds)
            self.look()

    def _take_newest(self, beginning: bool) -> None:
        """Takes the newest good model, if it is newer than the one taken last.

        Files that have changed since the last look are still being written. The first look can't
        tell, and tries what is there.
        """
        try:
            for candidate in candidates(self._watch.pattern):
                if candidate <= self._newest or self._takes(candidate, beginning):
                    break
            self._trouble = ""
        except Exception as error:  # a store that is down for an hour must not stop the job
            self._tell_trouble(error)

    def _takes(self, candidate: Candidate, beginning: bool) -> bool:
        directory = candidate.directory
        files = file_states(directory)
        settled = beginning or self._seen.get(directory) == files
        self._seen[directory] = files
        if not settled or self._refused.get(directory) == files:
            return False
        gc.collect()  # networks given up before: they refer to themselves, and are large
        try:
            loaded = tried_model(directory)
        except UserError as error:
            self._refuse(directory, files, error)
            return False
        if file_states(directory) != files:
            return False
        MODELS.keep(loaded)
        self._current, self._newest = loaded.version, candidate
        return True

    def _refuse(self, directory: str, files: frozenset[FileState], reason: UserError) -> None:
        current = self._current.identity
        _LOGGER.warning("model %s is refused, %s stays: %s", directory, current, reason)
        self._news.append(News.REFUSED)
        self._refused[directory] = files

    def _tell_trouble(self, error: Exception) -> None:
        trouble = " ".join(str(error).split())
        if trouble != self._trouble:
            _LOGGER.warning("can't look for models at %s: %s", self._watch.pattern, trouble)
        self._trouble = trouble


def watcher(watch: ModelWatch) -> Watcher:
    """The one watcher of a watch in this process; the first call waits for its first look."""
    with _LOCK:
        if watch not in _WATCHERS:
            _WATCHERS[watch] = Watcher(watch)
        return _WATCHERS[watch]


_WATCHERS: dict[ModelWatch, Watcher] = {}
_LOCK = threading.Lock()
