"""What the Space is made of: its imports, its size, its front matter."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest
import yaml

SPACES = Path(__file__).parent.parent.parent / "spaces"
FILES = sorted(SPACES.rglob("*.py"))


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
        elif isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_pages_import_gradio_the_package_and_the_standard_library(path):
    assert imported(path) <= {"gradio", "tunekit_hub", "pages", *sys.stdlib_module_names}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_and_functions_stay_short(path):
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= (30 if path.name == "app.py" else 250)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno < 60, node.name


def test_only_one_module_reads_who_the_visitor_is():
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if path.name != "session.py":
            assert not {"oauth_info", "OAuthToken", "OAuthProfile", "session_hash", "cookies"} & set(
                text.replace("(", " ").replace(".", " ").replace('"', " ").split()
            ), path


def test_the_front_matter_is_that_of_a_space_with_sign_in():
    _, front, body = (SPACES / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    fields = yaml.safe_load(front)
    assert (fields["sdk"], fields["app_file"], fields["hf_oauth"]) == ("gradio", "app.py", True)
    assert set(fields["hf_oauth_scopes"]) == {"read-repos", "gated-repos", "contribute-repos", "jobs"}
    assert len(fields["short_description"]) <= 60
    import gradio

    assert fields["sdk_version"] == gradio.__version__
    assert f"gradio[oauth,mcp]=={gradio.__version__}" in (SPACES / "requirements.txt").read_text(encoding="utf-8")
    assert body.lstrip().startswith("# ")


def test_the_variables_that_the_page_names_are_those_of_the_service():
    from tunekit_hub.runs.settings import VARIABLES

    body = (SPACES / "README.md").read_text(encoding="utf-8")
    named = {line.split("`")[1] for line in body.splitlines() if line.startswith("| `TUNEKIT_")}
    assert named - {"TUNEKIT_SPACE_DIR"} <= set(VARIABLES.values())
