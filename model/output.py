"""Where a trained model goes: a directory, or Cloud Storage."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model import savedmodel
from model.fingerprint import fingerprint
from schemas.errors import UserError

if TYPE_CHECKING:
    from model.signatures import Serving


def check_output(output: str) -> None:
    """Checks that a model can be written to a place, before time is spent on training.

    Args:
        output: a path, or `gs://BUCKET/FOLDER`.

    Raises:
        UserError: something is there already, or nothing can be written there.
    """
    if "://" not in output:
        savedmodel.check_output(Path(output))
        return
    from model.cloud_storage import check_free

    try:
        check_free(output)
    except OSError as error:
        raise UserError(str(error)) from error


def write_model(serving: Serving, card: Mapping[str, Any], output: str) -> str:
    """Writes an artifact; to a path as a whole or not at all, to a bucket `saved_model.pb` last.

    Args:
        serving: the network with its signatures.
        card: the model card, as JSON will have it.
        output: a path, or `gs://BUCKET/FOLDER`; absent or empty.

    Returns:
        The fingerprint of the artifact.

    Raises:
        UserError: it can't be written to the bucket; says where on this machine it is instead.
    """
    if "://" not in output:
        savedmodel.export(serving, card, Path(output))
        return fingerprint(output)
    from model.cloud_storage import upload_directory

    folder = Path(tempfile.mkdtemp(prefix="train-sentiment-"))
    local = folder / "model"
    savedmodel.export(serving, card, local)
    sha256 = fingerprint(local)
    try:
        upload_directory(local, output)
    except (UserError, OSError) as error:
        raise UserError(
            f"{error}; the model is kept in {local}: copy it with `gcloud storage rsync "
            f"--recursive {local} {output}`"
        ) from error
    shutil.rmtree(folder)
    return sha256
