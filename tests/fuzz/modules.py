"""Which module holds a target: known without importing it, so that it can be instrumented."""

import importlib
from collections.abc import Mapping

from tests.fuzz.choices import Target

MODULES: Mapping[str, str] = {
    name: f"tests.fuzz.{module}"
    for module, names in {
        "records": ("json", "text", "value", "message", "event_time"),
        "files": ("lines", "delimited", "compressed", "tfrecord"),
        "binary": ("parquet", "avro", "avro_block", "arrow"),
        "names": ("kept_field", "date_template", "object_name", "url"),
        "stored": ("card", "vocabulary", "manifest"),
        "tokens": ("tokenizer",),
    }.items()
    for name in names
}


def target(name: str) -> Target:
    """The target of a name."""
    found: Target = importlib.import_module(MODULES[name]).TARGETS[name]
    return found
