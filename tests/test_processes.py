"""Several processes take the steps that one would, and a dead one ends the run with something to go on from."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import psutil
import pytest
import records as made
import tiny
from waiting import until

import tunekit_hub as tk
from tunekit_hub import launch
from tunekit_hub.errors import TrainingFailed, UsageError
from tunekit_hub.facts import Running
from tunekit_hub.trainers import _checkpoints

TWO = Running(processes=2, checkpoint_every=1e-3)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A Hub and a plan of eight steps, the last of a pass with fewer rows than processes can share evenly."""
    return tiny.chat_plan(tmp_path_factory.mktemp("processes"), 19)


@pytest.mark.slow
def test_a_dead_process_ends_the_run_which_goes_on_to_the_end_of_one_process(job, tmp_path):
    hub, plan = job
    out = tmp_path / "run"

    def kill_second(event):
        if event["event"] == "step" and event["step"] == 3:
            ranks = [p for p in psutil.Process().children(recursive=True) if _rank(p) == "1"]
            ranks[0].send_signal(signal.SIGKILL)

    with pytest.raises(TrainingFailed, match="a process of the training died") as found:
        tk.train(plan, out, hub=hub, running=TWO, on_event=kill_second)
    assert f"tunekit-hub resume {out}" in found.value.hint
    assert _checkpoints.newest(out, plan)[1]["steps"] >= 2
    told = []
    together = tk.train(plan, out, hub=hub, running=TWO, on_event=told.append)
    assert [event["event"] for event in told].count("resumed") == 1
    alone = tk.train(plan, tmp_path / "alone", hub=hub)
    assert together.processes == 2
    assert [p.loss for p in together.losses] == pytest.approx([p.loss for p in alone.losses], abs=1e-3)
    assert together.supervision == alone.supervision
    left = {path.name for path in out.iterdir()} - {".processes.lock"}
    assert left == {"model", "checkpoints", "loss.png", "processes.log", "supervision.txt"}


@pytest.mark.slow
def test_a_signal_is_passed_on_and_they_save(job, tmp_path):
    hub, plan = job
    out = tmp_path / "run"

    def stop(event):
        if event["event"] == "step" and event["step"] == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        tk.train(plan.but(epochs=300.0), out, hub=hub, running=Running(processes=2), on_event=stop)
    assert _checkpoints.newest(out, plan.but(epochs=300.0)) is not None
    until(lambda: not any(_rank(p) for p in psutil.Process().children(recursive=True)))


def test_more_processes_than_gpus_is_a_usage_error(tmp_path):
    plan = made.make_plan()
    hardware = plan.selection.request.hardware.but(device="cuda")
    request = plan.selection.request.but(hardware=hardware)
    with pytest.raises(UsageError, match="3 processes need as many GPUs"):
        launch.together(
            plan.but(selection=plan.selection.but(request=request)),
            tmp_path,
            tmp_path / "run",
            lambda _: None,
            Running(processes=3),
            None,
        )


def test_a_batch_too_large_for_one_of_them_is_halved_for_all(tmp_path, monkeypatch):
    plan, batches = made.make_plan(batch_size=4, accumulation=2), []

    def run(run_dir, work, tell, running):
        asked = json.loads((work / "job.json").read_text())["plan"]
        batches.append((asked["batch_size"], asked["accumulation"]))
        if len(batches) < 3:
            (work / "error-1.json").write_text('{"kind": "OutOfMemory"}')
            return 1
        (work / "result.json").write_text(made.make_training(plan).model_dump_json())
        return 0

    monkeypatch.setattr(launch, "_run", run)
    done = launch.together(plan, tmp_path, tmp_path / "run", lambda _: None, Running(processes=2), None)
    assert batches == [(4, 2), (2, 4), (1, 8)]
    assert len(done.adjustments) == 2
    assert done.plan == plan


def _rank(process: psutil.Process) -> str | None:
    """Which of the processes it is, if it trains."""
    try:
        command = process.cmdline()
        ours = Path(command[-1]).name == "run" and "accelerate.commands.launch" not in command
        return process.environ().get("RANK") if ours and command else None
    except (psutil.Error, IndexError):
        return None
