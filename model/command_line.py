"""What the command lines of `train-sentiment` and `evaluate-sentiment` have in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn

from schemas.errors import UserError

Arguments = Mapping[str, Mapping[str, Any]]
"""What argparse is told of each option, by its name."""


class Parser(argparse.ArgumentParser):
    """Raises `UserError` where argparse would print its usage and exit."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see --help")


def number(
    kind: Callable[[str], float], least: float, most: float, inclusive: bool = True
) -> Callable[[str], float]:
    """A parser of numbers between `least` and `most`; these two are good only where inclusive."""

    def convert(text: str) -> float:
        try:
            value = kind(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} isn't a number") from None
        within = least <= value <= most if inclusive else least < value < most
        if not within:
            strictly = "" if inclusive else "strictly "
            raise argparse.ArgumentTypeError(
                f"{text} isn't {strictly}between {least:g} and {most:g}"
            )
        return value

    return convert


def parser_of(command: str, about: str, arguments: Arguments) -> Parser:
    """A parser of some options."""
    parser = Parser(prog=command, description=about, allow_abbrev=False)
    for name, settings in arguments.items():
        parser.add_argument(f"--{name}", **settings)
    return parser


def known_options(parser: Parser, arguments: Sequence[str]) -> argparse.Namespace:
    """What a command line says.

    Raises:
        UserError: an unknown option or an impossible value.
    """
    given, unknown = parser.parse_known_args(arguments)
    if unknown:
        raise UserError(unknown_option(unknown[0], parser))
    return given


def unknown_option(argument: str, parser: Parser) -> str:
    """What to say of an argument that the command line doesn't have."""
    known = [name for action in parser._actions for name in action.option_strings]
    nearest = get_close_matches(argument.partition("=")[0], known, n=1)
    hint = f"did you mean {nearest[0]}?" if nearest else "see --help"
    return f"unknown argument {argument!r}; {hint}"
