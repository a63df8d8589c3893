"""The tuned model of a run, asked by hand."""

from __future__ import annotations

import io
import json

import encoders
import pytest
import records as made
import tiny

import tunekit_hub as tk
from tunekit_hub import runfile, trying
from tunekit_hub.cli import main
from tunekit_hub.errors import RunError
from tunekit_hub.facts import Options
from tunekit_hub.runfile import Run
from tunekit_hub.scores.entities import entities

pytestmark = pytest.mark.slow


def keep(record, folder):
    """A run folder of what was trained, as the line leaves one."""
    runfile.save(Run(options=Options(source="made.csv"), record=record, stage="training", status="paused"), folder)


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chat")
    hub, plan = tiny.chat_plan(folder, 12, epochs=1)
    keep(tk.train(plan, folder / "run", hub=hub), folder / "run")
    return folder / "run", hub


def test_a_chat_remembers_its_turns_until_it_is_told_to_forget(chat, monkeypatch):
    tuned = trying.load(chat[0], hub=chat[1])
    asked = []
    inner = tuned._ask
    monkeypatch.setattr(tuned, "_ask", lambda turns: asked.append(list(turns)) or inner(turns))
    first = tuned.ask("What is number 1?")
    tuned.ask("And the next?")
    tuned.forget()
    tuned.ask("What is number 2?")
    assert [len(turns) for turns in asked] == [1, 3, 1]
    assert asked[1][1]["content"] == first.text
    with pytest.raises(ValueError, match="no text"):
        tuned.ask("  ")


def test_a_run_that_is_not_trained_says_what_to_do(tmp_path, capsys):
    runfile.save(Run(options=Options(source="made.csv")), tmp_path)
    with pytest.raises(RunError, match="not trained yet"):
        trying.load(tmp_path)
    assert main(["try", str(tmp_path), "hello"]) == 1
    assert f"tunekit-hub resume {tmp_path}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("task", "shape", "rows"),
    [("classification", "single-label", tiny.opinions), ("ner", "BIO tags", tiny.sentences)],
)
def test_labels_and_entities_on_the_command_line(task, shape, rows, tmp_path, capsys):
    plan = tiny.encoder_plan(task, shape, epochs=8.0)
    encoders.train(plan, tiny.save_encoder(tmp_path / "base"), rows(160), rows(30, 1), tmp_path / "run")
    keep(made.make_training(plan), tmp_path / "run")
    row = rows(1, 2)[0]
    text = row.text if task == "classification" else " ".join(row.tokens)
    assert main(["try", str(tmp_path / "run"), text, "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    if task == "classification":
        assert tuple(said["chosen"]) == row.labels
        assert sum(said["labels"].values()) == pytest.approx(1)
        return
    found = [" ".join(row.tokens[one.first : one.last + 1]) for one in entities(row.tags)]
    assert [one["text"] for one in said["marks"]] == found


def test_a_chat_on_the_command_line(chat, capsys, monkeypatch):
    monkeypatch.setattr("tunekit_hub.trying.Hub", lambda: chat[1])
    monkeypatch.setattr("sys.stdin", io.StringIO("hello\n\n/new\nhello\n"))
    assert main(["try", str(chat[0]), "--json"]) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == second  # the same question, to a model that has forgotten the first
