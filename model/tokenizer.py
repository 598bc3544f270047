"""BERT preprocessing: text to token ids.

Training, the exported signatures and the Beam job all go through `Tokenizer`, so that a review is
cut into the same pieces everywhere.

The pieces are those of Devlin et al. 2018 (https://arxiv.org/abs/1810.04805), found with the
linear-time algorithm of Song et al. 2020 (https://arxiv.org/abs/2012.15524). Keeping the beginning
and the end of a long review follows Sun et al. 2019 (https://arxiv.org/abs/1905.05583).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from model.card import read_card, vocabulary_path
from model.runtime import import_tensorflow
from schemas.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf

PAD = "[PAD]"
UNKNOWN = "[UNK]"
START = "[CLS]"
END = "[SEP]"
SPECIAL_PLACES = 2  # [CLS] and [SEP] frame every review

CountsT = TypeVar("CountsT", bound=Any)  # an array or a tensor


class TokenIds(NamedTuple):
    """Token ids of n reviews, laid end to end.

    Review i has the ids `values[row_splits[i]:row_splits[i + 1]]`: [CLS], its word pieces, [SEP].
    """

    values: np.ndarray
    """int32 [total number of tokens]"""
    row_splits: np.ndarray
    """int64 [n + 1]"""
    token_counts: np.ndarray
    """int32 [n]; word pieces before truncation, [CLS] and [SEP] not counted"""


class Tokenizer:
    """Cuts reviews into BERT word pieces and long reviews down to `max_length` tokens."""

    def __init__(
        self, vocabulary: Path | str, lower_case: bool, max_length: int, head_share: float
    ) -> None:
        """Reads the vocabulary and builds its lookup automaton (about a second).

        Args:
            vocabulary: file with one word piece per line; the line number is the token id.
            lower_case: lower-case the text and strip accents, as uncased vocabularies need.
            max_length: most tokens of a review, [CLS] and [SEP] included; at least 3.
            head_share: 0..1, the share of places given to the beginning of a review that is too
                long; the others go to its end. 1.0 keeps the beginning only.

        Raises:
            UserError: the vocabulary can't be read or lacks a special token.
        """
        import_tensorflow()
        import tensorflow as tf
        import tensorflow_text

        pieces = read_vocabulary(vocabulary)
        places = max_length - SPECIAL_PLACES
        self.vocabulary = Path(vocabulary)
        self.vocabulary_size = len(pieces)
        self.unknown = pieces.index(UNKNOWN)
        self.max_length = max_length
        self._head = int(places * head_share)
        self._tail = places - self._head
        self._start, self._end = pieces.index(START), pieces.index(END)
        self._splitter = tensorflow_text.FastBertTokenizer(
            pieces,
            token_out_type=tf.int32,
            unknown_token=UNKNOWN,
            lower_case_nfd_strip_accents=lower_case,
        )
        # Called one by one, the operations of `encode` take 20 ms, however few the texts.
        self._encode_arrays = tf.function(
            self._components, [tf.TensorSpec([None], tf.string)], autograph=False
        )

    @classmethod
    def from_artifact(cls, directory: Path | str) -> Tokenizer:
        """Builds the tokenizer that an exported model was trained with.

        Args:
            directory: an exported model.

        Raises:
            UserError: the directory isn't an exported model, or is damaged.
        """
        card = read_card(directory)
        return cls(vocabulary_path(directory), card.lower_case, card.max_length, card.head_share)

    def encode(self, texts: tf.Tensor) -> tuple[tf.RaggedTensor, tf.Tensor]:
        """Token ids as tensors; usable in a `tf.function` and in signatures.

        Args:
            texts: string [n], UTF-8.

        Returns:
            ids: int32 ragged [n, (length)], length between 2 and `max_length`.
            token_counts: int32 [n], word pieces before truncation.
        """
        import tensorflow as tf

        pieces = self._splitter.tokenize(texts)
        counts = tf.cast(pieces.row_lengths(), tf.int32)
        kept = self._truncate(pieces, counts)
        frame = tf.ones_like(counts)[:, tf.newaxis]
        ids = tf.concat([frame * self._start, kept, frame * self._end], axis=1)
        return ids, counts

    def _truncate(self, pieces: tf.RaggedTensor, counts: tf.Tensor) -> tf.RaggedTensor:
        import tensorflow as tf

        position = tf.ragged.range(counts).values
        remaining = tf.gather(counts, pieces.value_rowids()) - position
        # In a review that fits, head and tail meet or overlap: nothing is dropped.
        keep = (position < self._head) | (remaining <= self._tail)
        return tf.ragged.boolean_mask(pieces, pieces.with_values(keep))

    def _components(self, texts: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        ids, counts = self.encode(texts)
        return ids.values, ids.row_splits, counts

    def truncates(self, token_counts: CountsT) -> CountsT:
        """Which reviews lose word pieces.

        Args:
            token_counts: int32 [n], as `encode` and `tokenize` give them.

        Returns:
            bool [n].
        """
        return token_counts + SPECIAL_PLACES > self.max_length

    def tokenize(self, texts: Sequence[str]) -> TokenIds:
        """Token ids as arrays. May be called by several threads at once.

        The first call builds a graph (a quarter of a second); later ones take half a millisecond,
        and as long again for every seven reviews of two hundred words.

        Args:
            texts: n reviews.

        Returns:
            The ids of the n reviews, in order.
        """
        import tensorflow as tf

        arrays = self._encode_arrays(tf.constant(list(texts), tf.string, shape=[len(texts)]))
        return TokenIds(*(array.numpy() for array in arrays))


def read_vocabulary(path: Path | str) -> list[str]:
    """Word pieces in the order of their ids.

    Raises:
        UserError: the file can't be read, lacks a special token, or doesn't begin with the padding.
    """
    try:
        pieces = Path(path).read_text(encoding="utf-8").rstrip("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"can't read vocabulary {path}: {error}; give a BERT vocab.txt") from None
    missing = [token for token in (PAD, UNKNOWN, START, END) if token not in pieces]
    if missing:
        raise UserError(f"vocabulary {path} lacks {', '.join(missing)}; give a BERT vocab.txt")
    if pieces[0] != PAD:
        raise UserError(f"vocabulary {path} must begin with {PAD}: padding is token 0")
    return pieces
