"""Newer models, good and broken, appear while messages come in."""

import itertools
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from google.cloud import pubsub_v1

from tests.beam_jobs.word_models import export_words, sigmoid
from tests.integration.conftest import NewChannel
from tests.integration.streaming import inbox, publishing, running

INITIAL, NEWER, BROKEN, LAST = 1.0, 2.0, 3.0, 4.0
"""Models, by the weight that they give the word in each review."""

PER_SECOND = 20.0
ENOUGH = 20
"""So many scores of a model show that it is in use."""


@pytest.mark.slow
def test_every_review_is_scored_once_whatever_models_appear(
    new_channel: NewChannel, tmp_path: Path
) -> None:
    made = {weight: tmp_path / f"made/{weight}" for weight in (INITIAL, NEWER, BROKEN, LAST)}
    named = {weight: export_words(path, {"good": weight}) for weight, path in made.items()}
    weight_of = {version.identity: weight for weight, version in named.items()}
    cut_in_half(made[BROKEN])
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    reviews, scores, rejected = (new_channel() for _ in range(3))
    arguments = ["--input_subscription", reviews.subscription, "--id_field", "number"]
    arguments += ["--output_topic", scores.topic, "--rejected_topic", rejected.topic]
    arguments += ["--model", str(made[INITIAL])]
    arguments += ["--watch_model", f"{shelf}/*", "--watch_interval", "1s"]
    published: list[int] = []

    with running(arguments, tmp_path) as job, inbox(scores) as got, inbox(rejected) as refused:

        def in_use(weight: float) -> Callable[[], bool]:
            identity = named[weight].identity
            return lambda: [score.attributes["model"] for score in got].count(identity) >= ENOUGH

        with publishing(numbered(reviews.topic, published), PER_SECOND):
            job.wait_until(in_use(INITIAL), 60)
            made[NEWER].rename(shelf / "1")
            job.wait_until(in_use(NEWER), 20)
            made[BROKEN].rename(shelf / "2")
            job.wait_until(lambda: f"model {shelf / '2'} is refused" in job.said(), 20)
            made[LAST].rename(shelf / "3")
            job.wait_until(in_use(LAST), 20)
        job.wait_until(lambda: len(got) + len(refused) >= len(published), 20)
        job.stop()

    assert refused == []
    assert sorted(int(score.attributes["review_id"]) for score in got) == published
    assert {weight_of[score.attributes["model"]] for score in got} == {INITIAL, NEWER, LAST}
    for score in got:
        probability = sigmoid(weight_of[score.attributes["model"]])
        assert score.row()["positive_probability"] == pytest.approx(probability, abs=1e-6)


def cut_in_half(model: Path) -> None:
    (variables,) = model.glob("variables/variables.data-*")
    os.truncate(variables, variables.stat().st_size // 2)


def numbered(topic: str, published: list[int]) -> Callable[[], None]:
    """Publishes a review whenever it is called, and notes its number."""
    publisher, numbers = pubsub_v1.PublisherClient(), itertools.count()

    def publish_next() -> None:
        number = next(numbers)
        data = json.dumps({"number": number, "text": "good"}).encode("utf-8")
        publisher.publish(topic, data).result()
        published.append(number)

    return publish_next
