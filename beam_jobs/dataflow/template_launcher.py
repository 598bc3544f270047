"""What the launcher of a Flex template starts: `score-reviews` with a template's parameters.

The launcher passes every parameter as `--name=value`, a string. Here lists and flags become what
the command line knows; everything else, Beam's options among it, passes unchanged. The workers get
the image that the launcher's own was built on.
"""

import argparse
import os
import sys
from collections.abc import Iterable, Sequence

from beam_jobs.dataflow.flex_template import options
from beam_jobs.score_reviews import EXIT_MISTAKE
from beam_jobs.score_reviews import main as score_reviews
from schemas.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the job that a launch asks for.

    Args:
        arguments: what the launcher passes; default: this process's.

    Returns:
        The exit code of `score-reviews`.
    """
    try:
        return score_reviews(command_line(sys.argv[1:] if arguments is None else arguments))
    except UserError as error:
        print(f"score-reviews: error: {error}", file=sys.stderr)
        return EXIT_MISTAKE


def command_line(arguments: Sequence[str]) -> list[str]:
    """The arguments of `score-reviews` for what the launcher passes.

    Raises:
        UserError: a parameter that is on or off is neither.
    """
    actions = options().actions
    translated: list[str] = []
    for argument in arguments:
        flag, equals, value = argument.partition("=")
        if equals and flag in actions:
            translated += _translated(flag, value, actions[flag])
        else:
            translated.append(argument)
    return [*translated, *_image(arguments)]


def _image(arguments: Sequence[str]) -> list[str]:
    image = os.environ.get("SDK_CONTAINER_IMAGE", "")
    given = any(argument.startswith("--sdk_container_image") for argument in arguments)
    return [f"--sdk_container_image={image}"] if image and not given else []


def _translated(flag: str, value: str, action: argparse.Action) -> Iterable[str]:
    if not value:  # A field of the form that was left blank.
        return []
    if action.nargs == 0:
        return [flag] if _is_on(flag, value) else []
    if action.nargs == "+":
        return [flag, *value.split(",")]
    return [f"{flag}={value}"]


def _is_on(flag: str, value: str) -> bool:
    if value.lower() not in ("true", "false"):
        raise UserError(f"{flag} {value!r} is neither true nor false")
    return value.lower() == "true"
