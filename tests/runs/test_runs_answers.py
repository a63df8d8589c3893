"""Who comes back, and who talks or publishes: nobody is held up by a run that is broken or by another's answer."""

from __future__ import annotations

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from runs_world import ADA, BOB

from tunekit_hub import runfile, runs
from tunekit_hub.errors import RunError, TunekitError
from tunekit_hub.runs import states
from tunekit_hub.runs.talking import Talks

TOKEN = "hf_" + "a" * 34
SILENT = """
import sys, time
sys.stdin.readline()
time.sleep(60)
"""


def waiting(service: runs.Service, submit, number: int) -> list[str]:
    """Runs that wait for ada to sign in again."""
    made = [submit(service, "done", token=TOKEN) for _ in range(number)]
    for run in made:
        service._store.move(run, status="needs sign-in")
    return made


def test_a_run_that_cannot_go_on_does_not_keep_its_visitor_out(service, submit):
    broken, whole = waiting(service, submit, 2)
    shutil.rmtree(service._root / "runs" / broken)
    assert service.signed_in(ADA, TOKEN) == 1
    assert [service.state(ADA, run).status for run in (broken, whole)] == ["failed", "queued"]
    assert service.signed_in(ADA, TOKEN) == 0


def test_two_windows_of_one_visitor_come_back_at_once(service, submit, monkeypatch):
    (run,) = waiting(service, submit, 1)
    resume, first = service.resume, []

    def overtaken(*asked):
        if not first:
            first.append(0)
            first[0] = service.signed_in(ADA, TOKEN)
        resume(*asked)

    monkeypatch.setattr(service, "resume", overtaken)
    assert service.signed_in(ADA, TOKEN) == 0
    assert first == [1]
    assert service.state(ADA, run).status == "queued"


def test_a_window_that_is_going_on_with_a_run_is_not_disturbed_by_another(service, submit):
    (run,) = waiting(service, submit, 1)
    with runfile.locked(service._root / "runs" / run), ThreadPoolExecutor() as window:
        assert window.submit(service.signed_in, ADA, TOKEN).result() == 0
    assert service.state(ADA, run).status == "needs sign-in"
    assert service.signed_in(ADA, TOKEN) == 1


@pytest.fixture
def talks(tmp_path, monkeypatch):
    """Models that never answer."""
    import sys

    from tunekit_hub.runs import processes

    monkeypatch.setattr(processes, "command", lambda module: [sys.executable, "-c", SILENT])
    made = Talks("http://127.0.0.1:9", 60.0)
    yield made
    made.close()


def asking(talks: Talks, folder) -> tuple[threading.Thread, list[str]]:
    """A question under way, and where the error it ends in will stand."""
    folder.mkdir(parents=True)
    told: list[str] = []

    def ask() -> None:
        try:
            talks.ask(folder, "ada", [{"role": "user", "content": "hello"}], None)
        except TunekitError as error:
            told.append(error.message)

    thread = threading.Thread(target=ask)
    thread.start()
    while not talks._talks:
        time.sleep(0.01)
    return thread, told


def test_closing_a_model_does_not_wait_for_its_answer(talks, tmp_path):
    thread, told = asking(talks, tmp_path / "runs" / "a")
    talks.close(tmp_path / "runs" / "another")  # nothing of this one's
    assert thread.is_alive()
    talks.close(tmp_path / "runs" / "a")
    thread.join(20)
    assert told == ["the process with the model ended"]


def test_once_all_are_closed_nobody_is_answered(talks, tmp_path):
    thread, told = asking(talks, tmp_path / "runs" / "a")
    talks.close()
    thread.join(20)
    assert told
    with pytest.raises(RunError, match="being stopped"):
        talks.ask(tmp_path / "runs" / "a", "ada", [{"role": "user", "content": "hello"}], None)


def test_a_run_that_is_being_published_is_neither_published_again_nor_deleted(service, submit, monkeypatch):
    run = submit(service, "done")
    folder = service._root / "runs" / run
    there = json.loads((folder / "run.json").read_text())
    service._store.move(run, status="done", ended=time.time())
    assert "delete" in service.state(ADA, run).can
    assert there["status"]
    service._at_publishing.add(run)
    assert not {"publish", "delete"} & service.state(ADA, run).can
    with pytest.raises(RunError, match="being published already"):
        service.publish(ADA, run, runs.Publishing(push_to="ada/mine"), TOKEN)
    with pytest.raises(RunError, match="no such run"):
        service.publish(BOB, run, runs.Publishing(push_to="ada/mine"), TOKEN)


def test_a_curve_that_grows_is_the_same_as_one_that_is_read_at_once(tmp_path):
    log = tmp_path / "events.jsonl"
    told = [{"event": "step", "step": step, "loss": 9.0 - step} for step in range(1, 1200)]
    told += [{"event": "resumed", "step": 600}, {"event": "note", "message": "x"}]
    told += [{"event": "step", "step": step, "loss": 0.5} for step in range(601, 900)]
    looked = states.Files()
    assert looked.curve(tmp_path) == ()
    with log.open("w") as file:
        for number, event in enumerate(told):
            line = json.dumps(event) + "\n"
            file.write(line[:7])
            if not number % 200:
                file.flush()  # half a line
                looked.curve(tmp_path)
            file.write(line[7:])
    whole = states.Files().curve(tmp_path)
    assert looked.curve(tmp_path) == whole
    assert len(whole) == states.POINTS
    assert (whole[0], whole[-1]) == ((1, 8.0), (899, 0.5))
    log.write_text(json.dumps({"event": "step", "step": 1, "loss": 3.0}) + "\n")
    assert looked.curve(tmp_path) == ((1, 3.0),)
