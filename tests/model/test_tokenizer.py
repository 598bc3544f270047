import shutil
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import BertWordPieceTokenizer

from model.card import default_model_directory, vocabulary_path
from model.labelled_reviews import LabelledReview
from model.tokenizer import TokenIds, Tokenizer, read_vocabulary
from schemas.errors import UserError
from tests.model.conftest import TOY_WORDS, Toy

WORDS_NOT_PIECES = [word for word in TOY_WORDS if word[0] not in "[#"]


def rows(tokens: TokenIds) -> list[list[int]]:
    return [part.tolist() for part in np.split(tokens.values, tokens.row_splits[1:-1])]


def toy_tokenizer(vocabulary: Path, max_length: int, head_share: float) -> Tokenizer:
    return Tokenizer(vocabulary, lower_case=True, max_length=max_length, head_share=head_share)


def as_tensorflow_text_reads(text: str) -> str:
    """What has to be done to a text for the reference tokenizer to give TensorFlow Text's pieces.

    They differ in three ways, none of them frequent (283 of 33,530 reviews):
    - Control characters become spaces; the reference drops them, so that "end\\x97a" is one word.
      Only \\x7f to \\x9f occur in reviews, left over from Windows encodings.
    - Characters are folded by NFKC_Casefold: "½" becomes three characters, "ß" becomes "ss",
      and an acute accent that stands for an apostrophe becomes a space.
    - Characters for private use are unknown words; the reference drops them.
    """
    without_controls = "".join(" " if "\x7f" <= char <= "\x9f" else char for char in text)
    unknown = "".join(
        "\N{GRINNING FACE}" if unicodedata.category(char) == "Co" else char
        for char in without_controls
    )
    folded = unicodedata.normalize("NFKC", unknown).casefold()
    return unicodedata.normalize("NFKC", folded)


def test_pieces_equal_the_reference_tokenizer(imdb: list[LabelledReview]) -> None:
    vocabulary = vocabulary_path(default_model_directory())
    texts = [review.text for review in imdb[::16]]
    texts += [
        "Cataluña\xb4s end\x97a 8½",
        "Rosenstraße \uf0b7 naïve CAFÉ",
        "",
        " \n",
        "電影 film!?",
    ]
    ours = rows(toy_tokenizer(vocabulary, 100_000, 1.0).tokenize(texts))
    reference = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
    expected = reference.encode_batch([as_tensorflow_text_reads(text) for text in texts])
    untouched = reference.encode_batch(texts)
    assert len(texts) > 1_500
    assert ours == [encoding.ids for encoding in expected]
    different = sum(mine != other.ids for mine, other in zip(ours, untouched, strict=True))
    assert 0 < different < 0.02 * len(texts)


@settings(deadline=None, max_examples=25)
@given(
    texts=st.lists(
        st.lists(st.sampled_from(WORDS_NOT_PIECES), max_size=30), min_size=1, max_size=5
    ),
    max_length=st.integers(3, 24),
    head_share=st.floats(0, 1),
)
def test_long_reviews_keep_head_and_tail(
    toy_vocabulary: Path, texts: list[list[str]], max_length: int, head_share: float
) -> None:
    tokenizer = toy_tokenizer(toy_vocabulary, max_length, head_share)
    # Not `tokenize`: it would build a graph for each of these tokenizers.
    encoded, counts = tokenizer.encode(tf.constant([" ".join(words) for words in texts]))
    for words, ids, count in zip(texts, encoded.to_list(), counts.numpy(), strict=True):
        pieces = [TOY_WORDS.index(word) for word in words]
        places = max_length - 2
        head = int(places * head_share)
        kept = pieces
        if len(pieces) > places:
            kept = pieces[:head] + pieces[len(pieces) - (places - head) :]
        assert ids == [2, *kept, 3]
        assert count == len(pieces)
        assert tokenizer.truncates(count) == (len(pieces) > places)


def test_shapes_and_types(toy: Toy) -> None:
    tokens = toy.tokenizer.tokenize(["good acting", "", "bad!"])
    assert tokens.values.dtype == np.int32
    assert tokens.row_splits.dtype == np.int64
    assert tokens.token_counts.dtype == np.int32
    assert rows(tokens) == [[2, 4, 7, 8, 3], [2, 3], [2, 5, 15, 3]]
    assert tokens.token_counts.tolist() == [3, 0, 2]


def test_no_texts_at_all(toy: Toy) -> None:
    tokens = toy.tokenizer.tokenize([])
    assert tokens.row_splits.tolist() == [0]
    assert len(tokens.values) == len(tokens.token_counts) == 0


def test_groups_of_any_size_get_the_same_ids(
    bundled_tokenizer: Tokenizer, imdb: list[LabelledReview]
) -> None:
    texts = ["", *(review.text for review in imdb[:300])]
    ids, counts = bundled_tokenizer.encode(tf.constant(texts))
    expected = list(zip(ids.to_list(), counts.numpy().tolist(), strict=True))
    for size in (1, 2, 10, 256, len(texts)):
        tokens = bundled_tokenizer.tokenize(texts[:size])
        assert list(zip(rows(tokens), tokens.token_counts, strict=True)) == expected[:size]


def test_threads_share_a_tokenizer(toy_vocabulary: Path) -> None:
    words = [[WORDS_NOT_PIECES[i % 7]] * (i % 5 + 1) for i in range(64)]
    tokenizer = toy_tokenizer(toy_vocabulary, 12, 1.0)
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda text: tokenizer.tokenize([" ".join(text)]), words))
    expected = [[2, *map(TOY_WORDS.index, text), 3] for text in words]
    assert [result.values.tolist() for result in results] == expected


def test_operations_are_put_together_once(
    toy_vocabulary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer = toy_tokenizer(toy_vocabulary, 12, 1.0)
    encode = mock.Mock(wraps=tokenizer.encode)
    monkeypatch.setattr(tokenizer, "encode", encode)
    for size in (3, 0, 1, 40):
        assert len(tokenizer.tokenize(["film"] * size).token_counts) == size
    assert encode.call_count == 1


def test_encodes_inside_a_graph(toy: Toy) -> None:
    texts = ["the plot, the end", "film " * 40]
    ids, counts = tf.function(toy.tokenizer.encode)(tf.constant(texts))
    tokens = toy.tokenizer.tokenize(texts)
    assert ids.to_list() == rows(tokens)
    assert counts.numpy().tolist() == tokens.token_counts.tolist()


def test_lower_case_is_a_choice(toy_vocabulary: Path) -> None:
    cased = Tokenizer(toy_vocabulary, lower_case=False, max_length=9, head_share=1.0)
    assert rows(cased.tokenize(["Good film"])) == [[2, 1, 6, 3]]


def test_from_artifact_reads_everything_from_it(toy: Toy, tmp_path: Path) -> None:
    moved = shutil.copytree(toy.directory, tmp_path / "moved")
    texts = ["good film, bad acting. " * 5]
    assert rows(Tokenizer.from_artifact(moved).tokenize(texts)) == rows(
        toy.tokenizer.tokenize(texts)
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[PAD]\n[UNK]\n[CLS]\nfilm\n", r"lacks \[SEP\]"),
        (b"film\n[PAD]\n[UNK]\n[CLS]\n[SEP]\n", "must begin with"),
        (b"\xff\xfe", "can't read"),
    ],
)
def test_bad_vocabularies(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "vocab.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        read_vocabulary(path)


def test_absent_vocabulary(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"can't read vocabulary .*none\.txt"):
        read_vocabulary(tmp_path / "none.txt")
