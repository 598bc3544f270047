"""The Dockerfile of the image, read."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def instructions() -> list[str]:
    """Its instructions, each on one line, without comments."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.MULTILINE)
    return [" ".join(line.split()) for line in text.replace("\\\n", " ").splitlines() if line]


def arguments(keyword: str) -> list[str]:
    """What follows a keyword, in every instruction that it starts."""
    return [
        line.removeprefix(keyword).strip()
        for line in instructions()
        if line.startswith(f"{keyword} ")
    ]


def copied() -> list[str]:
    """The files that it copies from the project, its build arguments at their defaults."""
    defaults = dict(argument.split("=") for argument in arguments("ARG") if "=" in argument)
    sources = [
        source
        for copy in arguments("COPY")
        if not copy.startswith("--from=")
        for source in copy.split()[:-1]
    ]
    return [re.sub(r"\$\{(\w+)\}", lambda name: defaults[name[1]], source) for source in sources]
