"""Targets: the tokenizer, which is TensorFlow's, held against the reference tokenizer."""

import functools
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tokenizers

from model.tokenizer import Tokenizer
from tests.fuzz.choices import MEMORY, Target
from tests.model.conftest import TOY_WORDS

PAD, START, END = (TOY_WORDS.index(token) for token in ("[PAD]", "[CLS]", "[SEP]"))
LONGEST = 12
HEAD = 2  # a quarter of the ten places between start and end
TAIL = 8

_FOLDER = TemporaryDirectory(prefix="fuzz-", dir=MEMORY)


@functools.cache
def _vocabulary() -> Path:
    path = Path(_FOLDER.name, "vocab.txt")
    path.write_text("\n".join(TOY_WORDS) + "\n", encoding="utf-8")
    return path


@functools.cache
def _tokenizer(max_length: int) -> Tokenizer:
    return Tokenizer(_vocabulary(), lower_case=True, max_length=max_length, head_share=0.25)


@functools.cache
def _reference() -> tokenizers.BertWordPieceTokenizer:
    return tokenizers.BertWordPieceTokenizer(str(_vocabulary()), lowercase=True)


def tokenizer(data: bytes) -> None:
    """Any texts become ids in a frame, each as if it were alone; long ones lose their middle."""
    texts = data.decode("utf-8", "ignore").split("\n")
    whole, cut = (_rows(_tokenizer(length), texts) for length in (100_000, LONGEST))
    for text, ids, kept in zip(texts, whole, cut, strict=True):
        assert all(0 <= piece < len(TOY_WORDS) for piece in ids)
        assert (ids[0], ids[-1]) == (START, END)
        assert kept == (ids if len(ids) <= LONGEST else [*ids[: HEAD + 1], *ids[-TAIL - 1 :]])
        assert not {PAD, START, END} & set(ids[1:-1]), "a text can't spell special tokens"
        if "[" not in text and all(" " <= char <= "~" for char in text):
            assert ids == _reference().encode(text).ids
    assert _rows(_tokenizer(LONGEST), texts[::-1]) == cut[::-1]


def _rows(cutter: Tokenizer, texts: list[str]) -> list[list[int]]:
    tokens = cutter.tokenize(texts)
    rows = [part.tolist() for part in np.split(tokens.values, tokens.row_splits[1:-1])]
    lengths = np.minimum(tokens.token_counts + 2, cutter.max_length)
    assert lengths.tolist() == [len(row) for row in rows]
    return rows


TEXTS = (
    *("", "\n", "good acting\nbad!", "the film, the end. " * 3, "Good\tactor\r", "\0\x7f"),
    *("naïve 映画 🎬\u2028 end", "\uf0b7 8½ ß é", "a" * 300, "##ing [SEP] [PAD]", "not-a plot"),
)

TARGETS = {"tokenizer": Target(tokenizer, [text.encode() for text in TEXTS])}
