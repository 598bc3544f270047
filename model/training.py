"""Training from beginning to end: load, fit, calibrate, measure, export."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tf_keras

from model.calibration import fit_temperature
from model.classifier import build_classifier, compact, probabilities_of
from model.data import PARTS, Reviews
from model.description import Facts, describe
from model.distillation import lessons_of_teacher, teacher_logits
from model.evaluation import predict
from model.fitting import Lessons, fit, fix_seeds, labels_as_lessons, logits
from model.materials import Materials
from model.metrics import Metrics, measure
from model.options import Options
from model.output import write_model
from model.runtime import prepare_devices
from model.settings import TrainingSettings
from model.signatures import Serving
from model.tokenized import tokenize_reviews
from model.tokenizer import Tokenizer
from model.windows import reader

TEACHER_LOGITS = "teacher.npy"
"""Among the backups: what a large teacher says takes longer than much else."""


class Trained(NamedTuple):
    """What came of a training.

    Attributes:
        metrics: quality on the validation part.
        sha256: fingerprint of the model.
    """

    metrics: Metrics
    sha256: str


def train_from(materials: Materials, options: Options) -> Trained:
    """Trains a model and exports it.

    Args:
        materials: what from.
        options: how, and where to.

    Raises:
        UserError: the encoder, the teacher or the output directory can't be used, or the loss
            isn't a number any more.
    """
    prepare_devices(options.precision)
    settings, source = options.training, materials.encoder
    fix_seeds(settings.seed)
    tokenizer = Tokenizer(
        source.vocabulary, source.lower_case, settings.longest, settings.head_share
    )
    encoder = source.build(settings.max_length, trainable=not settings.freeze_encoder)
    classifier = build_classifier(encoder, settings.head_dropout, settings.freeze_encoder)
    lessons = lessons_from(materials, tokenizer, options)
    tuning, validation = (
        tokenize_reviews(Reviews(materials.data, part), tokenizer) for part in PARTS[1:]
    )
    losses = fit(
        classifier, lessons, tuning, settings, Path(options.backup_dir), options.tensorboard
    )
    temperature = 1.0
    if options.calibration == "temperature":
        read = reader(classifier, settings.window)
        temperature = fit_temperature(logits(read, tuning), tuning.labels)
    scoring = reader(stored(classifier, materials, settings), settings.window)
    finished = probabilities_of(scoring, temperature)
    probabilities = predict(finished.predict_on_batch, validation.tokens)
    metrics = measure(probabilities, validation.labels, options.threshold)
    facts = Facts(finished.count_params(), losses, temperature, metrics)
    card = describe(options, materials, facts)
    return Trained(metrics, write_model(Serving(finished, tokenizer), card, options.output))


def lessons_from(materials: Materials, tokenizer: Tokenizer, options: Options) -> Lessons:
    """What is to be learnt: labels, and what the teacher says if there is one."""
    parts = [Reviews(data, "training") for data in (materials.data, materials.unlabelled)]
    reviews = tokenize_reviews(chain.from_iterable(parts), tokenizer)
    if not materials.teacher:
        return labels_as_lessons(reviews, tokenizer.unknown)
    kept = Path(options.backup_dir, TEACHER_LOGITS)
    if not kept.is_file():
        said = teacher_logits(materials.teacher.directory, chain.from_iterable(parts))
        save_array(said, kept)
    return lessons_of_teacher(reviews, np.load(kept), tokenizer.unknown, options.training)


def save_array(array: np.ndarray, path: Path) -> None:
    """Writes an array as a whole or not at all."""
    unfinished = path.with_suffix(".unfinished.npy")
    np.save(unfinished, array)
    unfinished.replace(path)


def stored(
    classifier: tf_keras.Model, materials: Materials, settings: TrainingSettings
) -> tf_keras.Model:
    """The classifier as it is to be stored: in half the space where its encoder is ours."""
    config = materials.encoder.config(settings.max_length)
    return compact(classifier, config) if config else classifier
