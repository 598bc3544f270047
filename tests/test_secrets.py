"""No key, token or password is in the repository."""

import os
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).parents[1]

PASSED_OVER = {
    "deploy/requirements-cpu.lock": "hashes of packages",
    "deploy/requirements-gpu.lock": "hashes of packages",
    "model/pretrained/assets.extra/model_card.json": "hashes of data and checkpoint",
    "model/pretrained/assets/vocab.txt": "word pieces",
    "tests/beam_jobs/formats/test_tfrecord.py": "bytes that TensorFlow wrote",
}
"""Files of this repository that are full of digits, and of what. Single lines say
`pragma: allowlist secret`."""

BINARY = (".pb", ".index", ".data-00000-of-00001", ".png")


DETECTORS = (
    *("AWSKeyDetector", "BasicAuthDetector", "GitHubTokenDetector", "JwtTokenDetector"),
    *("KeywordDetector", "PrivateKeyDetector", "PypiTokenDetector"),
)
"""Each looks at each line, so those of services that this project has nothing to do with are
left out, as are those that only find strings without sense."""


def files() -> list[str]:
    """All files that are, or are about to be, in the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("this is no checkout")
    return [name for name in listed.stdout.splitlines() if (ROOT / name).is_file()]


def secrets(paths: Iterable[Path]) -> Iterator[str]:
    """Where something looks like a secret, and like which kind."""
    with transient_settings({"plugins_used": [{"name": name} for name in DETECTORS]}):
        for path in paths:
            for secret in scan_file(str(path)):
                yield f"{path}:{secret.line_number}: {secret.type}"


def test_there_are_none() -> None:
    names = files()
    assert set(PASSED_OVER) <= set(names)

    looked_at = [name for name in names if name not in PASSED_OVER and not name.endswith(BINARY)]

    assert len(looked_at) > 100
    assert list(secrets(ROOT / name for name in looked_at)) == []


# Divided, so that neither this file nor a scan of the repository's host takes them for real.
PLANTED = {
    "a private key": "-----BEGIN RSA PRIVATE " + "KEY-----\nMIIEpAIBAAKCAQEA\n",
    "an access key": 'key = "AKIA' + 'IOSFODNN7ABCDEFG"\n',
    "a token": 'token = "ghp_' + 'wWPw5k4aXcaT4fNP0UcnZwJUVFk6LO0pINUx"\n',
    "a password": "password = 'correct-" + "horse-battery'\n",
    "a password in a URL": "https://user:correct-" + "horse@example.org/path\n",
    "a service account": '{"private_key": "-----BEGIN PRIVATE ' + 'KEY-----\\nMIIE"}\n',
}


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_one_is_found(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "settings.py"
    path.write_text(PLANTED[kind])

    assert list(secrets([path]))
