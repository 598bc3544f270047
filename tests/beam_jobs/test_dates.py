import argparse
import datetime

import pytest

from beam_jobs.command_line import parse
from beam_jobs.dates import date_of, runs_of
from schemas.errors import UserError

TODAY = datetime.date(2026, 3, 1)
DATED = ["--input", "gs://b/dt={date}/*.csv", "--output", "gs://b/scores/dt={date}"]


def runs(*arguments: str) -> list[argparse.Namespace]:
    return runs_of(parse([*DATED, *arguments]), TODAY)


def test_a_run_without_a_date_is_what_it_is() -> None:
    values = parse(["--input", "a.csv", "--output", "out"])

    assert runs_of(values, TODAY) == [values]


def test_the_date_is_filled_in() -> None:
    (run,) = runs("--date", "yesterday", "--input", "gs://b/{date:%Y/%m/%d}/x{date}.csv")

    assert run.input == ["gs://b/dt=2026-02-28/*.csv", "gs://b/2026/02/28/x2026-02-28.csv"]
    assert run.output == "gs://b/scores/dt=2026-02-28"
    assert run.date == "2026-02-28"


def test_days_end_with_the_date_and_come_last_first() -> None:
    found = [run.output[-10:] for run in runs("--date", "2024-03-01", "--days", "3")]

    assert found == ["2024-03-01", "2024-02-29", "2024-02-28"]


@pytest.mark.parametrize("flag", ["--input", "--output"])
def test_days_never_share_a_place(flag: str) -> None:
    values = parse([*DATED, "--date", "2026-11-22", "--days", "2"])
    place = "gs://b/{date:%Y-%m}"
    setattr(values, flag[2:], [place] if flag == "--input" else place)

    with pytest.raises(UserError, match=f"--days 2: some of them share one {flag}"):
        runs_of(values, TODAY)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", TODAY),
        ("yesterday", datetime.date(2026, 2, 28)),
        ("2024-02-29", datetime.date(2024, 2, 29)),
    ],
)
def test_days_have_names(text: str, day: datetime.date) -> None:
    assert date_of(text, TODAY) == day


@pytest.mark.parametrize(
    "text", ["tomorrow", "2026-02-29", "2026-2-3", "20260203", "2026-02-03T00:00", "0001-01-01"]
)
def test_what_is_no_day_is_told(text: str) -> None:
    with pytest.raises(UserError, match=f"--date '{text}' is no day"):
        parse([*DATED, "--date", text])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (DATED, "--input has {date} in it: add --date"),
        (["--input", "a", "--output", "o-{date:%d}"], "--output has {date} in it: add --date"),
        (["--input", "a", "--output", "o", "--date", "today"], "put it there"),
        (["--input", "a", "--output", "o", "--days", "2"], "--days goes with --date only"),
        ([*DATED, "--date", "today", "--days", "0"], "--days 0 can't be: give 1 to 366"),
        ([*DATED, "--date", "today", "--days", "367"], "--days 367 can't be"),
        (
            ["--input", "a", "--output", "o/{date}", "--date", "today", "--days", "2"],
            "--days needs {date} in both",
        ),
    ],
)
def test_mistakes_are_told(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        parse(arguments)


def test_messages_have_no_days() -> None:
    streamed = ["--input_subscription", "projects/shop-reviews/subscriptions/new"]
    with pytest.raises(UserError, match="--date goes with --input only"):
        parse([*streamed, "--output", "out/{date}", "--date", "today"])
