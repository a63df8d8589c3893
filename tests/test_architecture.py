"""The shape of the package: who may import whom, what loads when, how long a file may be."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "tunekit_hub"
FILES = sorted(PACKAGE.rglob("*.py"))
STAGES = ("profiling", "recommendation", "selection", "planning", "training", "evaluation", "publication")
HEAVY = ("torch", "transformers", "datasets", "trl", "peft", "gradio", "accelerate", "bitsandbytes")
# A row may import from the rows above it, and from its own unless it is a stage.
LAYERS = (
    ("version", "errors", "units", "_discover"),
    ("facts", "extras", "quiet"),
    ("figures",),
    ("records",),
    ("runfile",),
)


def imported(path: Path, *, anywhere: bool = True) -> set[str]:
    """First two parts of every module of ours that a file imports."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if anywhere else iter(tree.body)
    found = set()
    for node in nodes:
        if isinstance(node, ast.ImportFrom) and node.module == "tunekit_hub":
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tunekit_hub."):
            found.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            found |= {a.name.split(".")[1] for a in node.names if a.name.startswith("tunekit_hub.")}
    return found


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("stage", STAGES)
def test_no_stage_imports_another(stage):
    assert not imported(PACKAGE / f"{stage}.py") & set(STAGES) - {stage}


def test_only_the_line_and_the_public_names_import_stages():
    callers = {name_of(path) for path in FILES if imported(path) & set(STAGES)}
    assert callers <= {"pipeline", "__init__", "cli", "runs"}


def test_records_and_what_is_under_them_import_nothing_above():
    allowed: set[str] = set()
    for layer in LAYERS:
        allowed |= set(layer)
        for name in layer:
            tree = ast.parse((PACKAGE / f"{name}.py").read_text(encoding="utf-8"))
            typing_only = {
                alias.name
                for node in ast.walk(tree)
                if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
                for part in node.body
                if isinstance(part, ast.ImportFrom)
                for alias in [ast.alias((part.module or "").split(".")[-1])]
            }
            assert imported(PACKAGE / f"{name}.py") - typing_only <= allowed, name


def test_only_hub_modules_import_the_client():
    callers = {
        name_of(path)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("huggingface_hub"))
        or (isinstance(node, ast.Import) and any(a.name.startswith("huggingface_hub") for a in node.names))
    }
    assert all(name.startswith("hub") for name in callers), callers


def test_checks_and_tasks_do_not_know_the_hub():
    for folder in ("checks", "tasks", "trainers"):
        for path in (PACKAGE / folder).glob("*.py"):
            assert not {name for name in imported(path) if name.startswith("hub")}, path


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_and_functions_stay_short(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 250
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name


def test_spaces_is_no_package():
    """It would shadow the `spaces` package that ZeroGPU provides."""
    assert not (ROOT / "spaces" / "__init__.py").exists()


def loaded(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return set(done.stdout.split())


def test_importing_the_package_loads_nothing_heavy():
    assert not loaded("import tunekit_hub") & {*HEAVY, "huggingface_hub", "pydantic", "pyarrow"}


def test_everything_up_to_the_plan_loads_nothing_heavy():
    code = "import tunekit_hub as tk; tk.profile, tk.recommend, tk.select, tk.plan, tk.get_model_recommendation"
    assert not loaded(code) & set(HEAVY)


def test_help_loads_neither_the_client_nor_pydantic():
    code = (
        "import sys\nfrom tunekit_hub.cli import main\nsys.stdout = sys.stderr\n"
        "try: main(['--help'])\nexcept SystemExit: pass\nsys.stdout = sys.__stdout__"
    )
    assert not loaded(code) & {*HEAVY, "huggingface_hub", "pydantic", "pyarrow"}
