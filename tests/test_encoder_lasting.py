"""An encoder's training that is broken off ends as if it had not been, validation and best weights included."""

from __future__ import annotations

import json
import os
import shutil
import signal

import encoders
import pytest
import tiny

import tunekit_hub as tk
from tunekit_hub import profiling
from tunekit_hub.facts import Running
from tunekit_hub.trainers import _checkpoints, _encoder_trainer

pytestmark = pytest.mark.slow
OFTEN = Running(checkpoint_every=1e-3)
CLASSES = tiny.encoder_plan("classification", "single-label", epochs=6.0, patience=2, accumulation=2)
TAGS = tiny.encoder_plan("ner", "BIO tags", epochs=3.0, batch_size=4)


class Killed(BaseException):
    """What no handler catches, as a kill leaves no time for any."""


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def still(base, tmp_path_factory):
    """The same without dropout, whose chance depends on the batches."""
    folder = tmp_path_factory.mktemp("still") / "base"
    shutil.copytree(base, folder)
    config = json.loads((folder / "config.json").read_text())
    config |= {name: 0.0 for name in config if "dropout" in name and config[name] is not None}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def weights(run_dir):
    from safetensors.numpy import load_file

    return load_file(run_dir / "model" / "model.safetensors")


def at(kind, number, what):
    """Do `what` at the `number`th event of a kind."""
    seen = []

    def tell(event):
        seen.extend([event] if event["event"] == kind else [])
        if event["event"] == kind and len(seen) == number:
            what()

    return tell


def kill():
    raise Killed


def terminate():
    os.kill(os.getpid(), signal.SIGTERM)


def rows_for(plan):
    make = tiny.opinions if plan.task == "classification" else tiny.sentences
    return make(45), make(16, 1)


@pytest.mark.parametrize("plan", [CLASSES, tiny.lora(CLASSES).but(epochs=4.0), TAGS], ids=["full", "lora", "tags"])
def test_killed_and_stopped_it_ends_the_same(plan, base, tmp_path):
    rows, validation = rows_for(plan)
    _, unbroken = encoders.train(plan, base, rows, validation, tmp_path / "unbroken")
    out = tmp_path / "run"
    for kind, number, what, ends in (
        ("step", 2, kill, Killed),
        ("step", 4, terminate, SystemExit),  # in the middle of a pass or near its end
        ("validation", 1, kill, Killed),
        ("validation", 1, terminate, SystemExit),
    ):
        with pytest.raises(ends):
            encoders.train(plan, base, rows, validation, out, at(kind, number, what), running=OFTEN)
    assert _checkpoints.newest(out, plan)[1]["steps"] >= 4
    _, found = encoders.train(plan, base, rows, validation, out, running=OFTEN)
    assert [(p.step, p.loss) for p in found.losses] == [(p.step, p.loss) for p in unbroken.losses]
    assert found.validation == unbroken.validation
    assert (found.kept_step, found.stopped_early) == (unbroken.kept_step, unbroken.stopped_early)
    ours, theirs = weights(out), weights(tmp_path / "unbroken")
    assert all((ours[name] == theirs[name]).all() for name in theirs)


def test_a_signal_that_comes_as_it_stops_early_makes_it_no_longer(base, tmp_path):
    plan, told = CLASSES.but(epochs=40.0, learning_rate=2e-2, patience=1), []
    rows, validation = rows_for(plan)
    _, unbroken = encoders.train(plan, base, rows, validation, tmp_path / "unbroken", told.append)
    assert unbroken.stopped_early
    last = sum(event["event"] == "validation" for event in told)
    with pytest.raises(SystemExit):
        encoders.train(plan, base, rows, validation, tmp_path / "run", at("validation", last, terminate))
    _, found = encoders.train(plan, base, rows, validation, tmp_path / "run")
    assert (found.steps, found.stopped_early) == (unbroken.steps, unbroken.stopped_early)
    assert found.validation == unbroken.validation


def test_a_batch_that_does_not_fit_is_halved(still, tmp_path, monkeypatch):
    import torch

    rows, validation = rows_for(TAGS)
    _, whole = encoders.train(TAGS, still, rows, validation, tmp_path / "whole")
    kind = _encoder_trainer.encoder_trainer()
    loss = kind.compute_loss

    def compute(self, model, inputs, **kwargs):
        done = loss(self, model, inputs, **kwargs)
        if len(inputs["input_ids"]) > 2:
            done.backward()
            raise torch.OutOfMemoryError("CUDA out of memory")
        return done

    monkeypatch.setattr(kind, "compute_loss", compute)
    _, halved = encoders.train(TAGS, still, rows, validation, tmp_path / "halved")
    assert len(halved.adjustments) == 1
    assert [p.loss for p in halved.losses] == pytest.approx([p.loss for p in whole.losses], abs=1e-4)


def test_two_processes_take_the_steps_of_one(still, tmp_path):
    rows = tiny.opinions(70)
    data = tmp_path / "opinions.csv"
    data.write_text("text,label\n" + "".join(f"{row.text},{row.labels[0]}\n" for row in rows))
    chosen = CLASSES.selection
    profile = profiling.profile(data)
    chosen = chosen.but(recommendation=chosen.recommendation.but(profile=profile))
    plan = CLASSES.but(selection=chosen, epochs=2.0)
    hub = tiny.FolderHub(still)
    alone = tk.train(plan, tmp_path / "alone", hub=hub)
    both = tk.train(plan, tmp_path / "both", hub=hub, running=Running(processes=2))
    assert [p.loss for p in both.losses] == pytest.approx([p.loss for p in alone.losses], abs=1e-3)
    assert [p.score for p in both.validation] == pytest.approx([p.score for p in alone.validation], abs=1e-3)
