"""The whole line with a tiny real model: the real client over HTTP, TRL, files on disk, the reload gate."""

from __future__ import annotations

import json
import subprocess
import sys

import hubs
import pytest
import tiny

import tunekit_hub as tk
from tunekit_hub import pipeline, runfile
from tunekit_hub.errors import NoUsableModel, RunError, SupervisionError, UsageError
from tunekit_hub.facts import Options
from tunekit_hub.hub import Hub

pytestmark = pytest.mark.slow
BASE = "ada/tiny-chat"


@pytest.fixture(scope="module")
def local_hub(tmp_path_factory):
    """One for all of this file."""
    with hubs.standing(tmp_path_factory.mktemp("line")) as hub:
        yield hub


@pytest.fixture(scope="module")
def hub(local_hub, tmp_path_factory):
    hubs.upload(local_hub, BASE, tiny.save_model(tmp_path_factory.mktemp("line") / "tiny"))
    return Hub(local_hub.tokens["you"], local_hub.endpoint)


def write_chats(folder):
    path = folder / "chats.jsonl"
    path.write_text("\n".join(json.dumps(row) for row in tiny.chats(40)))
    return path


@pytest.fixture
def data(tmp_path):
    return write_chats(tmp_path)


def options(data, **changes):
    settings = {"epochs": 2, "learning_rate": 5e-3}
    return Options(source=str(data), model=BASE, settings=settings, description="colours", **changes)


@pytest.fixture(scope="module")
def whole(hub, tmp_path_factory):
    """A run from the data to the published model: its folder, what it came to, and all that was told."""
    folder, events = tmp_path_factory.mktemp("whole"), []
    asked = options(write_chats(folder), push_to="you/whole", private=False)
    return folder / "run", pipeline.run(asked, folder / "run", hub=hub, on_event=events.append), events


def test_finetune_then_publish(hub, hf, data, tmp_path):
    evaluation = tk.finetune(data, tmp_path / "run", hub=hub, **options(data).model_dump(exclude={"source"}))
    assert evaluation.helped
    assert evaluation.tuned.figures["loss"].value < evaluation.baselines[0].figures["loss"].value
    assert evaluation.reload.passed
    assert evaluation.training.peak_memory > 0

    publication = tk.publish(evaluation, "you/colours", hub=hub)
    info = hf("you").model_info("you/colours")
    assert info.private
    assert info.sha == publication.commit
    assert {f.rfilename for f in info.siblings} >= {"README.md", "adapter_model.safetensors", "tokenizer.json"}
    assert info.card_data.base_model == BASE
    assert info.card_data.license == "apache-2.0"


def test_the_events_tell_the_whole_story(whole):
    run_dir, _, events = whole
    stages = [event["stage"] for event in events if event["event"] == "stage"]
    assert stages == [*list(pipeline.STAGES)[:4], "rehearsal", *list(pipeline.STAGES)[4:]]
    steps = [event for event in events if event["event"] == "step"]
    assert steps[-1]["step"] == steps[-1]["steps"]
    kept = [json.loads(line) for line in (run_dir / "events.jsonl").read_text().splitlines()]
    assert [e["event"] for e in kept] == [e["event"] for e in events]


def test_a_run_goes_on_where_it_stopped(hub, data, tmp_path, monkeypatch):
    out = tmp_path / "run"
    monkeypatch.setitem(pipeline.STAGES, "evaluation", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        pipeline.run(options(data), out, hub=hub)
    stopped = runfile.load(out)
    assert (stopped.status, stopped.stage) == ("interrupted", "evaluation")
    monkeypatch.undo()
    monkeypatch.setitem(pipeline.STAGES, "training", lambda _: pytest.fail("trained twice"))
    done = pipeline.resume(out, hub=hub)
    assert done.status == "done"
    assert done.evaluation.reload.passed
    assert done.training.but(run_dir="") == stopped.training.but(run_dir="")


def test_a_run_refuses_data_that_changed(hub, data, tmp_path):
    out = tmp_path / "run"
    pipeline.start(options(data), out)
    pipeline.resume(out, hub=hub, until="plan")
    data.write_text(data.read_text() + "\n" + json.dumps(tiny.chats(1)[0]))
    with pytest.raises(RunError, match="has changed"):
        pipeline.resume(out, hub=hub)
    assert runfile.load(out).error.code == "run-error"


def test_a_folder_that_holds_a_run_is_not_written_over(hub, data, tmp_path):
    pipeline.start(options(data), tmp_path / "run")
    with pytest.raises(RunError, match="already holds a run"):
        pipeline.start(options(data), tmp_path / "run")


def test_rows_that_are_all_cut_away_stop_before_training(hub, data, tmp_path):
    wished = options(data).but(settings={"max_tokens": 20})
    with pytest.raises(SupervisionError, match="no token carries loss"):
        pipeline.run(wished, tmp_path / "run", hub=hub)
    assert not (tmp_path / "run" / "model").exists()


def test_the_token_is_nowhere_in_the_run_or_in_what_is_published(whole, hf, tmp_path, local_hub):
    token, run_dir = local_hub.tokens["you"].encode(), whole[0]
    fetched = hf("you").snapshot_download("you/whole", local_dir=tmp_path / "fetched")
    files = [p for folder in (run_dir, tmp_path / "fetched") for p in folder.rglob("*") if p.is_file()]
    assert fetched
    assert len(files) > 12
    assert not [path for path in files if token in path.read_bytes()]
    assert "training_args.bin" not in {path.name for path in files}


def test_the_cards_snippet_runs_as_it_stands(whole, hub, hub_env):
    """In a fresh process with a fresh cache, with plain transformers and peft."""
    card = hub.read_text("you/whole", "README.md", whole[1].publication.commit)
    snippet = card.split("```python\n")[1].split("```")[0]
    ran = subprocess.run([sys.executable, "-c", snippet], env=hub_env, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip()


def test_a_run_that_failed_before_training_can_be_started_anew(hub, data, tmp_path):
    with pytest.raises(NoUsableModel):
        pipeline.run(options(data, max_time=1.0), tmp_path / "run", hub=hub)
    pipeline.start(options(data), tmp_path / "run")
    assert runfile.load(tmp_path / "run").status == "running"


def test_wrong_options_are_a_usage_error(data, tmp_path):
    with pytest.raises(UsageError, match="nonsense"):
        tk.finetune(data, tmp_path / "run", nonsense=1)
