"""What a user installs: the wheel holds all that the package reads, and nothing of the rest."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tunekit_hub.demo import DEMOS

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def names(tmp_path_factory) -> set[str]:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def test_every_file_of_the_package_is_in_it(names):
    files = {str(p.relative_to(ROOT)) for p in (ROOT / "tunekit_hub").rglob("*") if p.is_file()}
    assert {f for f in files if "__pycache__" not in f} <= names


def test_registry_schema_and_examples_are_in_it(names):
    examples = [f"_data/{demo.example}" for demo in DEMOS.values()]
    assert len(examples) == 3
    for name in ("model_registry.json", "model_registry.schema.json", *examples, "py.typed"):
        assert f"tunekit_hub/{name}" in names


def test_nothing_else_is_in_it(names):
    assert {name.split("/")[0].split("-")[0] for name in names} == {"tunekit_hub"}
