"""Real runs in real workers, with tiny models: stopped, killed, gone on with, talked to, published."""

from __future__ import annotations

import json
import os
import signal
import time

import pytest
import tiny
from runs_world import ADA, BOB, TICKETS, wait_for

from tunekit_hub import runfile, runs
from tunekit_hub.errors import AccessDenied, PublishError, RunError

pytestmark = pytest.mark.slow
LONG = 240  # seconds; two tests may share a machine with others


@pytest.fixture
def bases(hf, tmp_path):
    """A chat model that is gated and open to "you", and an encoder for everybody; both tiny, of "ada"."""
    for name, folder in (
        ("chat", tiny.save_model(tmp_path / "c")),
        ("encoder", tiny.save_encoder(tmp_path / "e")),
    ):
        (folder / "README.md").write_text("---\nlicense: apache-2.0\nlanguage: en\n---\n# Tiny\n")
        hf("ada").create_repo(f"ada/{name}")
        hf("ada").upload_folder(repo_id=f"ada/{name}", folder_path=folder)
    hf("ada").update_repo_settings("ada/chat", gated="manual")
    hf("ada").grant_access("ada/chat", "you")


@pytest.fixture
def working(service, bases, local_hub, monkeypatch):
    """At work, with the owner's own token in the environment, which is ada's and opens everything."""
    monkeypatch.setenv("HF_TOKEN", local_hub.tokens["ada"])
    service.start()
    yield service
    service.stop()


YOU = runs.Visitor("you")


def until_it_trains(service: runs.Service, run: str, visitor: runs.Visitor, steps: int) -> None:
    deadline = time.monotonic() + LONG
    while (state := service.state(visitor, run)).progress is None or state.progress.step < steps:
        assert time.monotonic() < deadline, state
        assert state.status in ("queued", "running"), state
        time.sleep(0.05)


def test_a_chat_model_from_upload_to_repository(working, hf, local_hub, tmp_path):
    token, rows = local_hub.tokens["you"], tmp_path / "chats.jsonl"
    rows.write_text("\n".join(json.dumps(row) for row in tiny.chats(60)))
    upload = working.keep(YOU, rows, "chats.jsonl")
    settings = {"epochs": 40, "learning_rate": 5e-3}
    options = runs.options(
        source=upload.handle, description="colours", model="ada/chat", settings=settings, checkpoint_every=0.5
    )
    nobodys = working.select(BOB, options.but(source="example-chat"))
    assert nobodys.selection is None  # gated, and the owner's token is not used for visitors
    assert working.plan(YOU, options, token).selection.repo_id == "ada/chat"

    run = working.submit(YOU, options, token, title="my  colours")
    until_it_trains(working, run, YOU, 3)
    working.cancel(YOU, run)
    stopped = wait_for(working, run, "cancelled", visitor=YOU, seconds=LONG)
    assert "resume" in stopped.can
    with pytest.raises(AccessDenied):
        working.resume(YOU, run)
    working.resume(YOU, run, token)
    done = wait_for(working, run, "done", "failed", visitor=YOU, seconds=LONG)
    assert done.error is None
    assert (done.title, done.source, done.model) == ("my colours", "chats.jsonl", "ada/chat")
    told = [event["event"] for event in working.events(YOU, run)]
    assert "resumed" in told
    steps = [step for step, _ in working.curve(YOU, run)]
    assert steps == sorted(set(steps))
    record = working.record(YOU, run)
    assert record.evaluation.reload.passed
    assert str(tmp_path) not in json.dumps(runfile.flat(record.record)) + record.options.model_dump_json()
    assert {"publish", "answer", "delete"} <= done.can

    reply = working.answer(YOU, run, "What is number 3?", token=token)
    assert reply.text
    history = [{"role": "user", "content": "What is number 3?"}, {"role": "assistant", "content": reply.text}]
    assert working.answer(YOU, run, "And the next?", history, token).text
    assert "ada/chat" in working.card_preview(YOU, run, "you/colours")
    assert working.file(YOU, run, "loss.png").read_bytes().startswith(b"\x89PNG")

    with pytest.raises(AccessDenied, match="signing in"):
        working.publish(YOU, run, runs.Publishing(push_to="you/colours"), None)
    with pytest.raises((AccessDenied, PublishError)):
        working.publish(YOU, run, runs.Publishing(push_to="ada/theirs"), token)
    assert working.state(YOU, run).status == "done"
    published = working.publish(YOU, run, runs.Publishing(push_to="you/colours"), token)
    assert hf("you").model_info("you/colours").private
    assert working.state(YOU, run).published == published.url
    for path in working._root.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(one.encode() in content for one in local_hub.tokens.values()), path


def test_a_classifier_whose_process_is_killed(working, tickets, tmp_path):
    upload = working.keep(ADA, tickets, "tickets.csv")
    settings = {"epochs": 30, "patience": 30, "learning_rate": 3e-3}
    options = runs.options(source=upload.handle, model="ada/encoder", settings=settings, checkpoint_every=0.2)
    run = working.submit(ADA, options)
    until_it_trains(working, run, ADA, 3)
    os.kill(working._store.run(run).pid, signal.SIGKILL)
    done = wait_for(working, run, "done", "failed", seconds=LONG)
    assert done.error is None
    assert TICKETS.count("\n") == working.record(ADA, run).profile.num_rows + 1
    assert working.file(ADA, run, "confusion.png").read_bytes().startswith(b"\x89PNG")
    reply = working.answer(ADA, run, "where is my parcel")
    assert set(dict(reply.scores)) == {"delivery", "billing"}
    assert len(reply.chosen) == 1
    with pytest.raises(RunError, match="no model that could answer"):
        working.answer(ADA, working.submit(ADA, options), "where is my parcel")
