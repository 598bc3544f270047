import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_wheel_holds_the_model_and_the_samples(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(tmp_path)]
    subprocess.run([*build, str(ROOT)], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    assert "beam_jobs/samples/reviews.jsonl" in names
    pretrained = ROOT / "model" / "pretrained"
    files = {str(path.relative_to(ROOT)) for path in pretrained.rglob("*") if path.is_file()}
    assert files
    assert files <= names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
