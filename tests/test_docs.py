"""README is true: its blocks are what the code says, its Python runs, its links lead somewhere."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib import util
from pathlib import Path

import hubs
import pytest
import tiny

import tunekit_hub as tk
from tunekit_hub import registry
from tunekit_hub.cli import tunekit

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
_spec = util.spec_from_file_location("readme", ROOT / "docs" / "readme.py")
readme = util.module_from_spec(_spec)
_spec.loader.exec_module(readme)


def fenced(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("page", readme.PAGES)
def test_help_and_tree_are_the_codes(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert readme.written(text) == text, "run `make docs`"


def test_every_command_shown_exists_and_takes_these_options():
    shown = [line for block in fenced("bash") for line in block.splitlines() if line.startswith("tunekit-hub ")]
    assert len(shown) >= 5
    for line in shown:
        words = line.split("  #")[0].split()[1:]
        command = tunekit.commands[words[0]]
        if hasattr(command, "commands") and words[1:] and words[1] in command.commands:
            command = command.commands[words[1]]
        known = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_make_targets_shown_exist():
    makefile = (ROOT / "Makefile").read_text()
    for text in (README, (ROOT / "CONTRIBUTING.md").read_text()):
        for line in re.findall(r"^make ([a-z ]+)", text, re.MULTILINE):
            assert all(re.search(rf"^{name}:", makefile, re.MULTILINE) for name in line.split())


@pytest.mark.parametrize(
    "path", [*readme.PAGES, *(str(page.relative_to(ROOT)) for page in sorted(ROOT.glob("docs/*.md")))]
)
def test_links_lead_somewhere(path):
    page = ROOT / path
    for target in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).exists(), target


def test_the_run_shown_has_the_ladder_that_the_registry_has():
    block = re.search(r"<!-- run -->(.*?)<!-- /run -->", README, re.DOTALL)[1]
    rungs = re.findall(r"^  \d  (\S+): (?:turned down|chosen)$", block, re.MULTILINE)
    advice = tk.get_model_recommendation("instruction_tuning", 240, "production support chatbot", {})
    rules = registry.load().tasks["instruction_tuning"]
    assert rungs == [advice["model"], *rules.ladders[advice["model"]]]


def test_the_changelog_counts_the_models():
    counted = {16: "sixteen"}[len(registry.load().models)]
    assert f"`model_registry.json`: {counted} base models" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.slow
def test_the_python_shown_runs(local_hub, hub_env, tmp_path):
    """As it stands, in a fresh process, with a registry whose only chat model is a tiny one."""
    hubs.upload(local_hub, "ada/tiny", tiny.save_model(tmp_path / "tiny"))
    known = json.loads((ROOT / "model_registry.json").read_text())
    known["tasks"] = {"instruction_tuning": known["tasks"]["instruction_tuning"]}
    for rule in known["tasks"]["instruction_tuning"]["rules"]:
        rule["model"] = "ada/tiny"
    known["tasks"]["instruction_tuning"]["ladders"] = {"ada/tiny": []}
    model = next(m for m in known["models"] if m["id"].endswith("135M-Instruct"))
    known["models"] = [model | {"id": "ada/tiny", "canonical": "ada/tiny", "tasks": ["instruction_tuning"]}]
    (tmp_path / "registry.json").write_text(json.dumps(known))
    (tmp_path / "chats.jsonl").write_text("\n".join(json.dumps(row) for row in tiny.chats(30)))
    ran = subprocess.run(
        [sys.executable, "-c", fenced("python")[0]],
        cwd=tmp_path,
        env=hub_env | {"TUNEKIT_REGISTRY": str(tmp_path / "registry.json")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Fine-tuning" in ran.stdout
    assert f"{local_hub.endpoint}/you/support" in ran.stdout
