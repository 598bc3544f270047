"""The SHA-256 of a model, which anybody can compute."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from model.card import default_model_directory
from model.fingerprint import fingerprint
from schemas.errors import UserError

SECURITY = Path(__file__).parents[2] / "SECURITY.md"
COMMAND = re.compile(r"^cd MODEL && (.*)$", re.MULTILINE)


def by_coreutils(directory: Path) -> str:
    """The digest as `SECURITY.md` says that anybody can compute it."""
    (command,) = COMMAND.findall(SECURITY.read_text("utf-8"))
    run = ["bash", "-euo", "pipefail", "-c", command]
    return subprocess.run(run, cwd=directory, check=True, capture_output=True, text=True).stdout[
        :64
    ]


def test_the_digest_is_that_of_coreutils(tmp_path: Path) -> None:
    model = tmp_path / "model"
    (tmp_path / "elsewhere/deeper").mkdir(parents=True)
    (tmp_path / "elsewhere/deeper/weights").write_bytes(bytes(range(256)) * 5_000)
    for name in ("a/b", "a.b", "a b", "A", "é", "z\nz", "z\\nz", "z\rz", "-n", ".hidden", "a-/b"):
        (model / name).parent.mkdir(parents=True, exist_ok=True)
        (model / name).write_text(f"contents of {name!r}")
    (model / "empty").mkdir()
    (model / "nothing").touch()
    Path(os.fsdecode(os.fsencode(model) + b"/\xff")).write_text("not UTF-8")
    (model / "file-link").symlink_to(tmp_path / "elsewhere/deeper/weights")
    (model / "folder-link").symlink_to(tmp_path / "elsewhere")
    (model / "dangling").symlink_to(tmp_path / "absent")
    os.mkfifo(model / "pipe")

    assert fingerprint(model) == by_coreutils(model)
    assert fingerprint(default_model_directory()) == by_coreutils(default_model_directory())


def test_what_a_link_leads_to_counts(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "weights").mkdir()
    (tmp_path / "model/link").symlink_to(tmp_path / "weights")
    seen = {fingerprint(tmp_path / "model")}
    for contents in ("one", "two"):
        (tmp_path / "weights/file").write_text(contents)
        seen.add(fingerprint(tmp_path / "model"))

    assert len(seen) == 3


def test_a_link_in_a_circle_is_named(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        (tmp_path / one).mkdir()
        (tmp_path / one / "link").symlink_to(tmp_path / other)

    with pytest.raises(UserError, match=r"^the link .*/link leads in a circle: remove it$"):
        fingerprint(tmp_path)


def test_a_file_that_cannot_be_read_is_not_passed_over(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("x")

    with pytest.raises(OSError, match="loop"):
        fingerprint(tmp_path)
