import numpy as np

from model.labelled_reviews import LabelledReview
from model.tokenized import GROUP, tokenize_reviews
from model.tokenizer import Tokenizer


def test_token_ids_are_those_of_the_tokenizer(
    imdb: list[LabelledReview], bundled_tokenizer: Tokenizer
) -> None:
    reviews = [review._replace(source=f"{n % 3}") for n, review in enumerate(imdb[: 2 * GROUP + 7])]

    found = tokenize_reviews(iter(reviews), bundled_tokenizer)

    whole = bundled_tokenizer.tokenize([review.text for review in reviews])
    for ours, theirs in zip(found.tokens, whole, strict=True):
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert found.labels.tolist() == [review.label for review in reviews]
    assert found.labels.dtype == np.float32
    assert found.sources == [review.source for review in reviews]


def test_no_reviews_are_no_tokens(bundled_tokenizer: Tokenizer) -> None:
    found = tokenize_reviews([], bundled_tokenizer)

    assert found.tokens.row_splits.tolist() == [0]
    assert (len(found.tokens.values), len(found.labels), found.sources) == (0, 0, [])
