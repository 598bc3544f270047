from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from model.checkpoint import WEIGHTS, WORD_EMBEDDINGS, default_checkpoint
from model.encoder import EncoderConfig
from model.word_embeddings import INITIAL_DEVIATION, initial_embeddings, reduce_embeddings
from schemas.errors import UserError


def random_table(rows: int = 40, width: int = 16) -> np.ndarray:
    random = np.random.default_rng(0)
    mixing = random.normal(size=[width, width])
    return (random.normal(size=[rows, width]) @ mixing + 3).astype(np.float32)


def test_projection_equals_that_of_a_singular_value_decomposition() -> None:
    table = random_table()
    reduced = reduce_embeddings(table, 5)
    left, values, _ = np.linalg.svd(table - table.mean(axis=0), full_matrices=False)
    expected = (left * values)[:, :5]
    expected *= INITIAL_DEVIATION / expected.std()
    signs = np.sign((expected * reduced).sum(axis=0))  # a component may point either way
    np.testing.assert_allclose(reduced, expected * signs, atol=1e-6)
    assert reduced.dtype == np.float32
    assert reduced.std() == pytest.approx(INITIAL_DEVIATION, rel=1e-5)
    np.testing.assert_allclose(reduced.mean(axis=0), 0, atol=1e-7)


def test_full_width_keeps_distances() -> None:
    table = random_table()
    reduced = reduce_embeddings(table, 16)
    before = np.linalg.norm(table[:, None] - table[None], axis=-1)
    after = np.linalg.norm(reduced[:, None] - reduced[None], axis=-1)
    np.testing.assert_allclose(after / after.max(), before / before.max(), atol=1e-5)


@pytest.mark.parametrize(("rows", "width"), [(41, 16), (40, 17)])
def test_checkpoint_too_small(tmp_path: Path, rows: int, width: int) -> None:
    save_file({WORD_EMBEDDINGS: random_table()}, tmp_path / WEIGHTS)
    with pytest.raises(UserError, match=r"have shape \(40, 16\), not at least"):
        initial_embeddings(tmp_path, EncoderConfig(rows, width, 2, 2, 512, 256))


def test_initial_embeddings_of_the_default_checkpoint() -> None:
    config = EncoderConfig(30_522, 128, 2, 2, 512, 256)
    table = initial_embeddings(default_checkpoint(), config)
    assert table.shape == (30_522, 128)
    words = (default_checkpoint() / "vocab.txt").read_text(encoding="utf-8").split("\n")
    good, great, table_top = (table[words.index(word)] for word in ("good", "great", "desk"))
    assert cosine(good, great) > cosine(good, table_top) + 0.2


def cosine(a: np.ndarray, b: np.ndarray) -> float:
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
