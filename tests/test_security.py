"""Nothing that is read can become code. The bandit rules of ruff (`S`) look for more of it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("schemas", "model", "beam_jobs", "deploy")

FORBIDDEN = {
    # They make objects of any class, or run code, from bytes.
    *("pickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "runpy"),
    # They take values for code.
    *("eval", "exec", "compile", "__import__", "import_module"),
    # They hand text to a shell; so does an argument `shell=True`.
    *("os.system", "os.popen", "getoutput", "getstatusoutput", "create_subprocess_shell"),
    # Archives write files where they like, and are larger inside.
    *("tarfile", "zipfile", "unpack_archive", "extractall"),
    # Models are code.
    *("saved_model.load", "models.load_model", "hub.load", "KerasLayer", "torch", "from_config"),
    *("yaml", "xml", "ctypes"),
}

ALLOWED = {
    ("model/savedmodel.py", "saved_model.load"): "workers check its SHA-256 before",
    ("model/runtime.py", "ctypes"): "calls mallopt with constants",
    ("model/hub_encoder.py", "hub.load"): "of a module that the user names",
    ("model/hub_encoder.py", "KerasLayer"): "of a module that the user names",
}
"""What may be used where, and why."""

FORBIDDEN_ARGUMENTS = {("shell", True), ("allow_pickle", True), ("safe_mode", False)}


def names(tree: ast.AST) -> Iterator[str]:
    """Everything that a module imports, calls or refers to, by its dotted name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Attribute):
            yield f".{ast.unparse(node)}"
        elif isinstance(node, ast.FunctionDef):
            yield node.name


def is_in(forbidden: str, name: str) -> bool:
    # `re.compile` is none of Python's `compile`.
    if forbidden in ("eval", "exec", "compile") and name.startswith("."):
        return False
    return f".{forbidden}." in f".{name}.".replace("..", ".")


def found_in(source: str) -> set[str]:
    """What is forbidden, as far as a module has it."""
    tree = ast.parse(source)
    found = {one for name in names(tree) for one in FORBIDDEN if is_in(one, name)}
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            found |= {str(node.arg)} & {
                name for name, value in FORBIDDEN_ARGUMENTS if value is node.value.value
            }
    return found


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_read_becomes_code(package: str) -> None:
    paths = sorted((ROOT / package).rglob("*.py"))
    assert paths
    for path in paths:
        relative = path.relative_to(ROOT).as_posix()
        wrong = {one for one in found_in(path.read_text("utf-8")) if (relative, one) not in ALLOWED}
        assert not wrong, f"{relative} uses {', '.join(sorted(wrong))}"


def test_every_exception_is_needed() -> None:
    for path, name in ALLOWED:
        assert name in found_in((ROOT / path).read_text("utf-8")), path


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import loads",
        "import cloudpickle.compat",
        "eval('1')",
        "run = exec",
        "import os\nos.system('x')",
        "from os import system",
        "subprocess.getoutput('x')",
        "start('x', shell=True)",
        "np.load('x', allow_pickle=True)",
        "tf.keras.models.load_model('x')",
        "from tensorflow.keras.models import load_model",
        "tf.saved_model.load('x')",
        "archive.extractall()",
        "importlib.import_module(name)",
        "__import__('os')",
        "import yaml",
    ],
)
def test_what_is_forbidden_is_found(source: str) -> None:
    assert found_in(source)


def test_what_only_looks_like_it_is_left_alone() -> None:
    assert not found_in("import re\nre.compile('x')\nos.path.join('a')\nrow.code\nload('x')")
