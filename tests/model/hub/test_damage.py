"""Directories that hold no module, or a damaged one."""

import shutil
from pathlib import Path

import pytest

from tests.model.hub.modules import Odd, refusal


def test_no_directory(target: Path) -> None:
    assert "has no saved_model.pb" in refusal(target)


def test_a_checkpoint(target: Path) -> None:
    target.mkdir()
    (target / "vocab.txt").write_text("[PAD]\n")
    (target / "model.safetensors").write_bytes(b"")
    assert "make one with `train-sentiment export-encoder`" in refusal(target)


def test_the_format_of_tf1(odd: Odd, target: Path) -> None:
    odd.save(target)
    (target / "tfhub_module.pb").write_bytes(b"\x08\x03")
    assert "is in the format of TF1 Hub" in refusal(target)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
@pytest.mark.parametrize(
    "name",
    ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"],
)
def test_cut_files(odd: Odd, target: Path, name: str, share: float) -> None:
    odd.save(target)
    path = target / name
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    message = refusal(target)
    assert "can't load" in message or "isn't BERT" in message  # half a description may still parse


def test_lost_weights(odd: Odd, target: Path) -> None:
    odd.save(target)
    shutil.rmtree(target / "variables")
    message = refusal(target)
    assert "can't load" in message
    assert "download or export the module again" in message


def test_a_flipped_bit_in_the_weights(odd: Odd, target: Path) -> None:
    odd.save(target)
    path = target / "variables" / "variables.data-00000-of-00001"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert "can't load" in refusal(target)
