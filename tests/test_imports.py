"""Imports point one way: schemas <- model <- beam_jobs."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = ("tensorflow", "tensorflow_text", "tensorflow_hub", "tf_keras")
FORBIDDEN = {
    "schemas": ("model", "beam_jobs", "apache_beam", *HEAVY),
    "model": ("beam_jobs", "apache_beam"),
    "beam_jobs": HEAVY,
}


def modules(package: str) -> list[Path]:
    return sorted((ROOT / package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names.add(node.module or "")
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize("package", FORBIDDEN)
def test_no_package_imports_what_it_may_not(package: str) -> None:
    assert modules(package)
    for path in modules(package):
        wrong = imported(path) & set(FORBIDDEN[package])
        assert not wrong, f"{path.relative_to(ROOT)} imports {', '.join(wrong)}"


def test_schemas_need_the_standard_library_only() -> None:
    for path in modules("schemas"):
        assert imported(path) <= {*sys.stdlib_module_names, "schemas"}, path
