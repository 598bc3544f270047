"""Commands of the Google Cloud CLI, read from shell text."""

import json
import shlex
import shutil
import subprocess

HAS_GCLOUD = shutil.which("gcloud") is not None


def commands(text: str) -> list[list[str]]:
    """The words of each command."""
    lines = text.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("gcloud ")]


def flag(command: list[str], name: str) -> str:
    """The value of a flag, given once as `--name=value`."""
    (found,) = [word for word in command if word.startswith(f"--{name}=")]
    return found.partition("=")[2]


def divided(value: str) -> list[str]:
    """The parts of a list in the form `^SEPARATOR^part SEPARATOR part`."""
    _, separator, parts = value.split("^", 2)
    return parts.split(separator)


def mistake(command: list[str]) -> str:
    """What the parser of the CLI itself finds wrong with a command; nothing is run."""
    lint = ["gcloud", "meta", "lint-gcloud-commands", f"--command-string={shlex.join(command)}"]
    result = subprocess.run(lint, capture_output=True, text=True, check=True)
    (verdict,) = json.loads(result.stdout)
    return "" if verdict["success"] else str(verdict["error_message"])
