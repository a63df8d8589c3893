"""A training that is broken off anywhere goes on to the same end; what goes wrong on the way is named."""

from __future__ import annotations

import errno
import os
import shutil
import signal

import pytest
import tiny

import tunekit_hub as tk
from tunekit_hub import storage
from tunekit_hub.errors import MissingExtra, StorageError, TrainingFailed
from tunekit_hub.facts import Running
from tunekit_hub.trainers import _checkpoints, _sft_loss

pytestmark = pytest.mark.slow
OFTEN = Running(checkpoint_every=1e-3)  # after every step


class Killed(BaseException):
    """What no handler catches, as a kill leaves no time for any."""


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """A Hub, a plan of eight steps of two batches, and what it comes to when nothing happens."""
    folder = tmp_path_factory.mktemp("lasting")
    hub, plan = tiny.chat_plan(folder, 18, batch_size=2, accumulation=2)
    return hub, plan, tk.train(plan, folder / "unbroken", hub=hub), folder / "unbroken"


def weights(run_dir):
    from safetensors.numpy import load_file

    return load_file(run_dir / "model" / "adapter_model.safetensors")


def train(job, out, *, running=OFTEN, on_event=None):
    return tk.train(job[1], out, hub=job[0], running=running, on_event=on_event)


def assert_same_end(job, found, out):
    _, _, unbroken, folder = job
    assert [p.step for p in found.losses] == [p.step for p in unbroken.losses]
    assert [p.loss for p in found.losses] == pytest.approx([p.loss for p in unbroken.losses], abs=1e-6)
    ours, theirs = weights(out), weights(folder)
    assert ours.keys() == theirs.keys()
    assert all(abs(ours[name] - theirs[name]).max() < 1e-6 for name in ours)


def kill_at(step):
    def tell(event):
        if event["event"] == "step" and event["step"] == step:
            raise Killed

    return tell


def kill_once(monkeypatch, owner, name, when):
    """The next call of `owner.name` number `when` is never done."""
    real, calls = getattr(owner, name), []

    def call(*args, **kwargs):
        calls.append(name)
        if len(calls) == when:
            raise Killed
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, call)


def test_killed_between_and_within_checkpoints(job, tmp_path, monkeypatch):
    """Before one, while one is flushed, before it has its name, and before older ones are gone."""
    out = tmp_path / "run"
    with pytest.raises(Killed):
        train(job, out, on_event=kill_at(2))
    for owner, name in ((storage, "flush"), (_checkpoints.Path, "rename"), (storage, "flush_one")):
        with monkeypatch.context() as patched:
            kill_once(patched, owner, name, 2 if name != "flush_one" else 15)
            with pytest.raises(Killed):
                train(job, out)
    told = []
    assert_same_end(job, train(job, out, on_event=told.append), out)
    assert next(event for event in told if event["event"] == "resumed")["step"] >= 2
    left = [path.name for path in (out / "checkpoints").iterdir()]
    assert len(left) == 1
    assert "training_args.bin" not in {path.name for path in (out / "checkpoints" / left[0]).iterdir()}


def test_killed_while_the_model_is_saved(job, tmp_path, monkeypatch):
    out = tmp_path / "run"
    with monkeypatch.context() as patched:
        patched.setattr(storage, "replacing", lambda *_, **__: (_ for _ in ()).throw(Killed()))
        with pytest.raises(Killed):
            train(job, out)
    assert not (out / "model").exists()
    assert_same_end(job, train(job, out), out)


def test_a_checkpoint_that_is_half_there_or_of_another_plan_is_passed_over(job, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(Killed):
        train(job, out, on_event=kill_at(4))
    whole = next((out / "checkpoints").iterdir())
    shutil.copytree(whole, whole.with_name("checkpoint-7"))
    (whole.with_name("checkpoint-7") / "session.json").write_text('{"made_for": "')
    assert _checkpoints.newest(out, job[1])[0] == whole
    assert _checkpoints.newest(out, job[1].but(learning_rate=1e-3)) is None
    assert _checkpoints.newest(out, job[1].but(batch_size=4, accumulation=1, time_limit=60.0))[0] == whole


@pytest.mark.parametrize(("sent", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)])
@pytest.mark.parametrize("step", [3, 4, 8])
def test_a_signal_is_obeyed_after_the_step(job, tmp_path, sent, raised, step):
    """In the middle of a pass, at its end, and after the last step of all."""
    out, before = tmp_path / "run", signal.getsignal(sent)

    def tell(event):
        if event["event"] == "step" and event["step"] == step:
            os.kill(os.getpid(), sent)

    with pytest.raises(raised):
        train(job, out, running=Running(), on_event=tell)
    assert signal.getsignal(sent) is before
    kept = _checkpoints.newest(out, job[1])[1]["steps"]
    assert kept in (step, step + 1)
    assert_same_end(job, train(job, out), out)


def test_a_full_disk_keeps_the_last_checkpoint(job, tmp_path, monkeypatch):
    out, flush, calls = tmp_path / "run", storage.flush, []

    def fill(folder):
        calls.append(folder)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        flush(folder)

    with monkeypatch.context() as patched:
        patched.setattr(storage, "flush", fill)
        with pytest.raises(StorageError, match="the disk is full") as found:
            train(job, out)
    assert f"tunekit-hub resume {out}" in found.value.hint
    assert [path.name for path in (out / "checkpoints").iterdir()] == ["checkpoint-2"]
    assert_same_end(job, train(job, out), out)


def small_memory(monkeypatch, rows):
    """Batches of more than `rows` rows do not fit, half of the way through."""
    import torch

    kind = _sft_loss.answer_loss_trainer()
    loss = kind.compute_loss

    def compute(self, model, inputs, **kwargs):
        done = loss(self, model, inputs, **kwargs)
        if len(inputs["input_ids"]) > rows:
            done.backward()  # gradients that have to be taken back
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return done

    monkeypatch.setattr(kind, "compute_loss", compute)


def test_a_batch_that_does_not_fit_is_halved_and_the_result_is_the_same(job, tmp_path, monkeypatch):
    hub, plan, unbroken, _ = job
    small_memory(monkeypatch, rows=1)
    told = []
    whole = plan.but(batch_size=4, accumulation=1)
    found = tk.train(whole, tmp_path / "run", hub=hub, on_event=told.append)
    assert [p.loss for p in found.losses] == pytest.approx([p.loss for p in unbroken.losses], abs=1e-4)
    assert found.adjustments == (
        "out of memory at step 1: 4 rows at a time, 1 times a step → 2 rows at a time, 2 times a step",
        "out of memory at step 1: 2 rows at a time, 2 times a step → 1 rows at a time, 4 times a step",
    )
    assert [event["message"] for event in told if event["event"] == "adjusted"] == list(found.adjustments)


def test_a_row_that_does_not_fit_is_an_error_with_the_cheapest_change(job, tmp_path, monkeypatch):
    small_memory(monkeypatch, rows=0)
    with pytest.raises(TrainingFailed, match=r"one row of up to .* tokens did not fit the memory") as found:
        train(job, tmp_path / "run")
    assert f"max_tokens={job[1].max_tokens // 2}" in found.value.hint


def test_a_rate_that_moves_nothing_stops_the_run(job, tmp_path):
    with pytest.raises(TrainingFailed, match="the loss never moved") as found:
        tk.train(job[1].but(learning_rate=1e-30), tmp_path / "run", hub=job[0])
    assert "learning_rate=1e-29" in found.value.hint


def test_the_picture_of_the_loss_is_drawn(job):
    from matplotlib.image import imread

    assert imread(job[3] / "loss.png").shape[:2] == (418, 770)


def test_a_reporter_that_is_not_installed_is_named(job, tmp_path, monkeypatch):
    monkeypatch.setattr("tunekit_hub.extras.find_spec", lambda name: None if name == "wandb" else True)
    with pytest.raises(MissingExtra, match="needs wandb") as found:
        train(job, tmp_path / "run", running=Running(report_to="wandb"))
    assert found.value.hint == "pip install wandb"
