"""Bad records and files in bulk: each is rejected for the right reason, and costs no other."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from beam_jobs.score_reviews import main
from tests.bad_input import (
    avro_files,
    compressed_files,
    encoded_files,
    parquet_files,
    tfrecord_files,
)
from tests.bad_input.calls import CALLS
from tests.bad_input.dumps import Dump, dumps_of_fields, good_dumps, text_dump
from tests.bad_input.kinds import KEPT, SCORED, BadCall, BadFile
from tests.bad_input.names import STRANGE_NAMES
from tests.bad_input.outcomes import holds, run

FILES: list[BadFile] = [
    *compressed_files.FILES,
    *encoded_files.FILES,
    *parquet_files.FILES,
    *avro_files.FILES,
    *tfrecord_files.FILES,
]


@pytest.mark.tfx_bsl
def test_the_kinds_are_many_and_differ() -> None:
    dumps = [*dumps_of_fields(), text_dump()]
    bad_records = {
        (dump.file, str(kind.data)): kind.name
        for dump in dumps
        for kind in dump.records.values()
        if kind.name != "good"
    }
    bad_files = {(file.suffix, file.content): file.name for file in FILES}

    names = [*bad_records.values(), *bad_files.values(), *(call.name for call in CALLS)]

    assert len(bad_files) == len(FILES)
    assert len(set(names)) == len(names)
    # What follows a comma is a format, which makes no other kind.
    kinds = {name.partition(", ")[0] for name in names} | STRANGE_NAMES.keys()
    assert len(kinds) >= 300


def check_dumps(dumps: Sequence[Dump], folder: Path, *arguments: str) -> None:
    for dump in dumps:
        (folder / dump.file).write_bytes(dump.content)

    found = run([f"{folder}/*"], folder.parent / "out", *arguments)

    kinds = {
        (str(folder / dump.file), at): kind for dump in dumps for at, kind in dump.records.items()
    }
    bad = {place: kind for place, kind in kinds.items() if kind.outcome != SCORED}
    good = kinds.keys() - bad.keys()
    assert found.reasons == {place: kind.outcome for place, kind in bad.items()}
    assert found.ids == Counter(kinds[place].review_id or "#".join(place) for place in good)
    for place, kind in bad.items():
        assert holds(found.rejected[place], kind.data), kind.name


@pytest.mark.tfx_bsl
@pytest.mark.slow
def test_bad_records_of_fields(folder: Path) -> None:
    check_dumps(dumps_of_fields(), folder, "--id_field", "id", "--keep_fields", *KEPT)


@pytest.mark.slow
def test_bad_lines_of_text(folder: Path) -> None:
    check_dumps([text_dump()], folder)


@pytest.mark.tfx_bsl
@pytest.mark.slow
def test_bad_files(folder: Path) -> None:
    good = good_dumps()
    for dump in good:
        (folder / dump.file).write_bytes(dump.content)
    for file in FILES:
        (folder / f"{file.name}{file.suffix}").write_bytes(file.content)

    found = run([f"{folder}/*"], folder.parent / "out", "--keep_fields", *KEPT)

    outcomes = {
        (str(folder / f"{file.name}{file.suffix}"), at): outcome
        for file in FILES
        for at, outcome in file.outcomes.items()
    }
    outcomes |= {(str(folder / dump.file), at): SCORED for dump in good for at in dump.records}
    bad = {place: outcome for place, outcome in outcomes.items() if outcome != SCORED}
    assert found.reasons == bad
    assert found.ids == Counter("#".join(place) for place in outcomes.keys() - bad.keys())


def test_strange_names_of_files(folder: Path) -> None:
    for name in STRANGE_NAMES.values():
        (folder / f"{name}.jsonl").write_bytes(b'{"text": "Nice."}\n')
        (folder / f"{name}.txt").write_bytes(b"\xff\n")

    found = run([f"{folder}/*"], folder.parent / "out")

    names = STRANGE_NAMES.values()
    assert found.ids == Counter(f"{folder}/{name}.jsonl#0" for name in names)
    assert found.reasons == {(f"{folder}/{name}.txt", "0"): "not_utf8" for name in names}


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.name)
def test_a_bad_call_is_one_line(
    call: BadCall, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    call.make(folder)
    monkeypatch.chdir(folder)

    code = main([*call.arguments, "--output", str(folder.parent / "out")])

    captured = capsys.readouterr()
    assert code == 2
    assert captured.out == ""
    assert captured.err.startswith("score-reviews: error: ")
    assert captured.err.count("\n") == 1
    assert call.message in captured.err
    assert not (folder.parent / "out").exists()
