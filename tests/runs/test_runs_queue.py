"""The queue: order, places, cancelling, killed workers, killed and restarted services, who must sign in again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from runs_world import ADA, BOB, FAKE, ROOT, wait_for

from tunekit_hub import runfile, runs
from tunekit_hub.errors import AccessDenied, RunError

TOKEN = "hf_" + "a" * 34


def folder_of(service: runs.Service, run_id: str) -> Path:
    return service._root / "runs" / run_id


def pid_of(service: runs.Service, run_id: str) -> int:
    deadline = time.monotonic() + 20
    while not (folder_of(service, run_id) / "goes").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return service._store.run(run_id).pid


def test_runs_wait_for_their_turn_and_say_which(service, submit):
    first, second = submit(service, "done"), submit(service, "done", BOB)
    assert (service.state(ADA, first).place, service.state(BOB, second).place) == (1, 2)
    assert service.state(ADA, first).can == {"cancel"}


def test_one_at_a_time_in_the_order_they_came(working, submit):
    long, second, third = (submit(working, what) for what in ("sleep", "done", "done"))
    wait_for(working, long, "running")
    assert [working.state(ADA, run).place for run in (second, third)] == [1, 2]
    working.cancel(ADA, long)
    for run in (second, third):
        wait_for(working, run, "done")
    ended = [working.state(ADA, run).ended for run in (long, second, third)]
    assert ended == sorted(ended)


def test_as_many_at_once_as_the_settings_say(local_hub, tmp_path, obedient, submit):
    service = runs.Service(tmp_path / "wide", runs.Settings(workers=2), endpoint=local_hub.endpoint)
    service.start()
    try:
        one, two, three = (submit(service, "sleep") for _ in range(3))
        wait_for(service, one, "running")
        wait_for(service, two, "running")
        time.sleep(0.1)
        assert service.state(ADA, three).status == "queued"
    finally:
        service.stop()


def test_cancel_in_the_queue_and_at_work(working, submit):
    works, waits = submit(working, "sleep"), submit(working, "done")
    pid_of(working, works)
    working.cancel(ADA, waits)
    assert working.state(ADA, waits).status == "cancelled"
    working.cancel(ADA, works)
    state = wait_for(working, works, "cancelled")
    assert runfile.load(folder_of(working, works)).status == "interrupted"  # it was let end by itself
    assert "kept" in state.note
    assert {"resume", "delete"} <= state.can
    with pytest.raises(RunError, match="nothing to cancel"):
        working.cancel(ADA, works)


def test_a_worker_that_does_not_obey_is_killed(local_hub, tmp_path, obedient, submit):
    service = runs.Service(tmp_path / "stern", runs.Settings(grace=0.2), endpoint=local_hub.endpoint)
    service.start()
    run = submit(service, "deaf")
    pid = pid_of(service, run)
    service.cancel(ADA, run)
    wait_for(service, run, "cancelled")
    service.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_cancel_then_resume_ends_well(working, submit):
    run = submit(working, "slow once")
    pid_of(working, run)
    working.cancel(ADA, run)
    wait_for(working, run, "cancelled")
    working.resume(ADA, run)
    wait_for(working, run, "done")
    assert [loss for _, loss in working.curve(ADA, run)] == [2.0, 1.0]
    with pytest.raises(RunError, match="not one to go on with"):
        working.resume(ADA, run)


def test_a_killed_worker_goes_on_once(working, submit):
    run = submit(working, "slow once")
    os.kill(pid_of(working, run), signal.SIGKILL)
    state = wait_for(working, run, "done")
    assert (folder_of(working, run) / "goes").read_text() == "2"
    assert state.note == ""


def test_a_worker_killed_again_is_a_failure_with_its_reason(working, submit):
    run = submit(working, "die always")
    state = wait_for(working, run, "failed")
    assert "SIGKILL" in state.error.message
    assert "memory" in state.error.hint
    assert (folder_of(working, run) / "goes").read_text() == "2"
    assert runfile.load(folder_of(working, run)).error.message == state.error.message


def test_what_a_run_failed_of_is_told_without_paths(working, submit):
    state = wait_for(working, submit(working, "fail"), "failed")
    assert (state.error.code, state.error.message, state.error.hint) == (
        "data-error",
        "`the run` is bad",
        "mend it",
    )


def test_over_its_time_a_run_is_stopped(local_hub, tmp_path, obedient, submit):
    limits = runs.Settings(max_time=0.1, grace=0.3)
    service = runs.Service(tmp_path / "hurry", limits, endpoint=local_hub.endpoint)
    service.start()
    state = wait_for(service, submit(service, "sleep"), "failed")
    service.stop()
    assert "longer than" in state.error.message


def test_the_token_reaches_the_worker_and_nothing_else(working, submit, monkeypatch, caplog):
    monkeypatch.setenv("HF_TOKEN", "hf_" + "o" * 34)
    monkeypatch.setenv("OAUTH_CLIENT_SECRET", "very-secret")
    run = submit(working, "sleep", token=TOKEN)
    pid_of(working, run)
    assert TOKEN not in repr(working) + repr(working._supervisor) + repr(working.state(ADA, run)) + caplog.text
    working.cancel(ADA, run)
    wait_for(working, run, "cancelled")
    assert (folder_of(working, run) / "token").read_text() == "with"
    seen = json.loads((folder_of(working, run) / "environment").read_text())
    assert seen["HF_HUB_DISABLE_IMPLICIT_TOKEN"] == "1"
    assert not {"HF_TOKEN", "OAUTH_CLIENT_SECRET"} & set(seen)
    assert "TOKENIZERS_PARALLELISM" in seen
    for path in working._root.rglob("*"):
        assert not path.is_file() or TOKEN.encode() not in path.read_bytes(), path
    assert not working._supervisor._tokens


def test_a_stopped_service_lets_its_runs_save_and_the_next_goes_on(service, obedient, submit, local_hub):
    service.start()
    run = submit(service, "slow once")
    pid_of(service, run)
    service.stop()
    assert service.state(ADA, run).status == "queued"
    again = runs.Service(service._root, endpoint=local_hub.endpoint)
    again.start()
    wait_for(again, run, "done")
    again.stop()


def test_a_run_that_needs_a_token_waits_for_its_visitor(service, obedient, submit, local_hub):
    mine, other = submit(service, "done", token=TOKEN), submit(service, "done", BOB)
    again = runs.Service(service._root, endpoint=local_hub.endpoint)  # the first one was killed
    again.start()
    try:
        assert wait_for(again, mine, "needs sign-in").can == {"resume", "delete"}
        wait_for(again, other, "done", visitor=BOB)
        with pytest.raises(AccessDenied, match="signed in"):
            again.resume(ADA, mine)
        assert again.signed_in(BOB, TOKEN) == 0
        assert again.signed_in(ADA, TOKEN) == 1
        wait_for(again, mine, "done")
        assert (folder_of(again, mine) / "token").read_text() == "with"
    finally:
        again.stop()


def test_two_services_do_not_share_a_folder(working, local_hub):
    with pytest.raises(RunError, match="another service"):
        runs.Service(working._root, endpoint=local_hub.endpoint).start()


SERVER = """
import sys, time
from pathlib import Path
from tunekit_hub import runs
from tunekit_hub.runs import processes
processes.command = lambda module: [sys.executable, sys.argv[2], module]
service = runs.Service(Path(sys.argv[1]), endpoint=sys.argv[3])
service.start()
print("ready", flush=True)
time.sleep(120)
"""


@pytest.fixture
def serve(service, local_hub):
    """A service in a process of its own; ends when the test does."""
    started = []

    def serve() -> subprocess.Popen[str]:
        command = [sys.executable, "-c", SERVER, str(service._root), str(FAKE), local_hub.endpoint]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment))
        assert started[-1].stdout.readline() == "ready\n"
        return started[-1]

    yield serve
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


def test_a_killed_service_finds_its_worker_again(service, obedient, submit, serve, local_hub):
    """The worker outlives it, and the next one neither starts it twice nor loses sight of it."""
    run, waits = submit(service, "sleep"), submit(service, "done")
    first = serve()
    worker = pid_of(service, run)
    first.kill()
    first.wait()
    os.kill(worker, 0)
    again = runs.Service(service._root, endpoint=local_hub.endpoint)
    again.start()
    try:
        time.sleep(0.2)
        assert (again.state(ADA, run).status, again.state(ADA, waits).status) == ("running", "queued")
        again.cancel(ADA, run)
        wait_for(again, run, "cancelled")
        wait_for(again, waits, "done")
        assert (folder_of(again, run) / "goes").read_text() == "1"
    finally:
        again.stop()


def test_service_and_worker_killed_at_once(service, obedient, submit, serve, local_hub):
    run = submit(service, "slow once")
    first = serve()
    worker = pid_of(service, run)
    first.kill()
    os.kill(worker, signal.SIGKILL)
    first.wait()
    again = runs.Service(service._root, endpoint=local_hub.endpoint)
    again.start()
    wait_for(again, run, "done")
    again.stop()
    assert (folder_of(again, run) / "goes").read_text() == "2"


def test_another_process_with_the_number_of_a_worker_is_left_alone(service, obedient, submit, local_hub):
    run = submit(service, "done")
    own = os.getpid()
    service._store.move(run, status="running", pid=own, pid_started=time.time() - 1e6, started=time.time())
    again = runs.Service(service._root, replace(service.settings, grace=0.1), endpoint=local_hub.endpoint)
    again.start()
    wait_for(again, run, "done")
    again.stop()
    assert (folder_of(again, run) / "goes").read_text() == "1"
