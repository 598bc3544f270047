"""Runs by day: one command line that means another day every night."""

import argparse
import contextlib
import datetime
import re
from collections.abc import Sequence

from beam_jobs.options import streams
from schemas.errors import UserError

_PLACE = re.compile(r"\{date(?::([^{}]+))?\}")
_DEFAULT_FORMAT = "%Y-%m-%d"

MOST_DAYS = 366


class DateOptions:
    """Which days are scored."""

    @classmethod
    def _add_argparse_args(cls, parser: argparse.ArgumentParser) -> None:
        group = parser.add_argument_group("days")
        group.add_argument(
            "--date",
            default="",
            metavar="DATE",
            help="yesterday, today (both in UTC) or as in 2026-11-21: what {date} stands for in "
            "--input and --output; {date:%%Y/%%m/%%d} is written so",
        )
        group.add_argument(
            "--days",
            type=int,
            default=1,
            metavar="N",
            help="score the N days that end with --date, the last one first, each as a run of its "
            "own; earlier days without input are passed over (default: %(default)s)",
        )

    @staticmethod
    def validate(values: argparse.Namespace) -> None:
        dated = [flag for flag in ("input", "output") if _is_dated(getattr(values, flag))]
        if not values.date:
            if dated:
                raise UserError(f"--{dated[0]} has {{date}} in it: add --date, as in yesterday")
            if values.days != 1:
                raise UserError("--days goes with --date only: leave it out")
            return
        if streams(values):
            raise UserError("--date goes with --input only: leave it out")
        date_of(values.date, datetime.date.max)
        if not dated:
            raise UserError("--date goes with {date} in --input and --output: put it there")
        if not 1 <= values.days <= MOST_DAYS:
            raise UserError(f"--days {values.days} can't be: give 1 to {MOST_DAYS}")
        if values.days > 1 and len(dated) < 2:
            raise UserError("--days needs {date} in both --input and --output")


def date_of(text: str, today: datetime.date) -> datetime.date:
    """The day that `--date` names.

    Raises:
        UserError: it names none.
    """
    if text in ("today", "yesterday"):
        return today - datetime.timedelta(days=text == "yesterday")
    if re.fullmatch(r"(19|20)\d\d-\d\d-\d\d", text, re.ASCII):
        with contextlib.suppress(ValueError):
            return datetime.date.fromisoformat(text)
    raise UserError(f"--date {text!r} is no day: give yesterday, today or a date as in 2026-11-21")


def runs_of(values: argparse.Namespace, today: datetime.date) -> list[argparse.Namespace]:
    """The runs that a command line stands for.

    Args:
        values: its options, checked.
        today: in UTC.

    Returns:
        Their options with the date filled in, the last day first.

    Raises:
        UserError: two of them would read or write the same.
    """
    if not values.date:
        return [values]
    last = date_of(values.date, today)
    runs = [_on(last - datetime.timedelta(days=n), values) for n in range(values.days)]
    for flag in ("input", "output"):
        if len({str(getattr(run, flag)) for run in runs}) < len(runs):
            raise UserError(
                f"--days {values.days}: some of them share one --{flag}; write the whole day "
                "there, as in {date}"
            )
    return runs


def _on(day: datetime.date, values: argparse.Namespace) -> argparse.Namespace:
    return argparse.Namespace(
        **{
            **vars(values),
            "date": day.isoformat(),
            "input": [_filled(pattern, day) for pattern in values.input],
            "output": _filled(values.output, day),
        }
    )


def _filled(text: str, day: datetime.date) -> str:
    try:
        return _PLACE.sub(lambda place: day.strftime(place[1] or _DEFAULT_FORMAT), text)
    except ValueError as error:  # it is not UTF-8, or the system knows no such format
        raise UserError(f"{text!r}: the format of its date can't be written: {error}") from error


def _is_dated(value: str | Sequence[str] | None) -> bool:
    texts = [value] if isinstance(value, str) else value or []
    return any(_PLACE.search(text) for text in texts)
