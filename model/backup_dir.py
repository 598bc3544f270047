"""The folder of a training's backups: of one training only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from schemas.errors import UserError

TRAINING = "training.json"


def claim(folder: Path, training: Mapping[str, Any]) -> None:
    """Makes the folder, or checks that what is in it comes from the same training.

    Args:
        folder: of the backups.
        training: all that the result of the training depends on, ready for JSON.

    Raises:
        UserError: it holds something else, or can't be made.
    """
    path = folder / TRAINING
    wanted = json.loads(json.dumps(training))
    try:
        if folder.exists() and any(folder.iterdir()):
            _check_same(json.loads(path.read_text("utf-8")), wanted, folder)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(wanted, indent=2), "utf-8")
    except (OSError, ValueError) as error:
        raise UserError(
            f"{folder} can't be used for backups: {error}; give another --backup_dir"
        ) from error


def _check_same(found: Any, wanted: Mapping[str, Any], folder: Path) -> None:
    if not isinstance(found, dict):
        raise ValueError(f"{TRAINING} isn't one that train-sentiment has written")
    other = sorted(name for name in wanted if found.get(name) != wanted[name])
    if other:
        raise UserError(
            f"{folder} holds a training that was interrupted, with another {', '.join(other)}: "
            "give the same again, delete the folder, or give another --backup_dir"
        )
