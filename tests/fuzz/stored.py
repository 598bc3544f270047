"""Targets: what the job itself wrote once and reads again: model cards, vocabularies, manifests."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from beam_jobs.manifest import FILE_NAME, RunFacts, manifest, unchanged_run
from beam_jobs.rows import json_line
from model.card import CARD, VOCABULARY, read_card
from model.tokenizer import read_vocabulary
from schemas.errors import UserError
from tests.fuzz.checks import check_user_error
from tests.fuzz.choices import MEMORY, Target

CARD_JSON = {
    "name": "tiny",
    "labels": ["negative", "positive"],
    "max_length": 256,
    "truncation": {"head_share": 0.25},
    "lower_case": True,
    "threshold": 0.25,
}


WRONG: Sequence[Any] = (None, True, -1, 10**30, 0.5, "a\nb", "\ud800", "ab", [], {}, ["a", "b"])


@contextmanager
def _model(files: dict[str, bytes]) -> Iterator[Path]:
    names = (
        "saved_model.pb",
        "variables/variables.index",
        "variables/variables.data-0",
        VOCABULARY,
    )
    with TemporaryDirectory(dir=MEMORY) as folder:
        for name, content in {**dict.fromkeys(names, b""), **files}.items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        yield Path(folder)


def card(data: bytes) -> None:
    """A card is refused in one line, or tells all that scoring needs."""
    with _model({CARD: data}) as folder:
        try:
            found = read_card(folder)
        except UserError as error:
            check_user_error(error)
            return
    assert json.loads(data) == found.raw
    assert found.max_length >= 3
    assert int((found.max_length - 2) * found.head_share) <= found.max_length - 2
    assert type(found.lower_case) is bool
    assert 0 < found.threshold < 1
    assert len(found.labels) == 2
    json_line({"model": f"{found.name}@012345678901"}).encode("utf-8")


def vocabulary(data: bytes) -> None:
    """A vocabulary is refused in one line, or its line numbers are the ids of its pieces."""
    with _model({VOCABULARY: data}) as folder:
        try:
            pieces = read_vocabulary(folder / VOCABULARY)
        except UserError as error:
            check_user_error(error)
            return
    lines = data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")
    assert pieces == lines
    assert {"[PAD]", "[UNK]", "[CLS]", "[SEP]"} <= set(pieces)


FACTS = RunFacts(
    inputs={"patterns": ["*.csv"], "files": 2, "bytes": 1_500_000, "digest": "d"},
    model={"directory": "models/m", "identity": "m@0123"},
    options={"output": "out"},
    versions={"apache-beam": "2.77.0"},
    max_rejected_share=0.25,
    started_at=1_000.0,
)
FINISHED = manifest(FACTS, 4, {"positive": 3}, {"empty_text": 1}, {"scores": ["a"]}, 1_010.0)
FAILED = manifest(FACTS, 4, {"positive": 1}, {"empty_text": 3}, {"scores": ["a"]}, 1_010.0)


def stored_manifest(data: bytes) -> None:
    """What isn't the manifest of this run means that it has to run."""
    with TemporaryDirectory(dir=MEMORY) as folder:
        Path(folder, FILE_NAME).write_bytes(data)
        found = unchanged_run(folder, FACTS)
    if not found:
        return
    assert found == json.loads(data)
    assert found["status"] in ("complete", "too_many_rejected")
    assert all(found[name] == getattr(FACTS, name) for name in ("inputs", "model", "options"))


def _json(value: Any) -> bytes:
    return json.dumps(value).encode()


TARGETS = {
    "card": Target(
        card,
        [
            _json(CARD_JSON),
            *(_json({**CARD_JSON, name: value}) for name in CARD_JSON for value in WRONG),
            *(b"", b"[]", b"null", b"\xff", b"[" * 3000, b'{"max_length": NaN}', b"{}"),
        ],
    ),
    "vocabulary": Target(
        vocabulary,
        [
            *(
                b"[PAD]\n[UNK]\n[CLS]\n[SEP]\ngood\n##s\n",
                b"[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\ngood",
            ),
            *(b"[PAD]\n[UNK]\n[CLS]\n[SEP]\na\rb\nc\x85d\n\n\n", b"[UNK]\n[PAD]", b"", b"\xff\xfe"),
            b"[PAD]\n[UNK]\n[CLS]\nfilm\n",
        ],
    ),
    "manifest": Target(
        stored_manifest,
        [
            *(_json(FINISHED), _json(FAILED), _json({**FINISHED, "inputs": {}})),
            *(_json({**FINISHED, name: None}) for name in FINISHED),
            *(_json({k: v for k, v in FINISHED.items() if k != name}) for name in FINISHED),
            *(b"", b"[]", b"null", b'"x"', b"\xff", b"{", b"[" * 3000),
        ],
    ),
}
