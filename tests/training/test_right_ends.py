"""How a training ends: judged to its last step, stopped at once, and with memory that ends in one of several."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from types import SimpleNamespace

import encoders
import pytest
import records as made
import tiny
import torch

from tunekit_hub.errors import TrainingFailed
from tunekit_hub.facts import Running
from tunekit_hub.trainers import _checkpoints, _encoder_validation, _lasting
from tunekit_hub.trainers._session import Session

CLASSES = tiny.encoder_plan("classification", "single-label", epochs=6.0, patience=6, accumulation=2)
ROWS, VALIDATION = tiny.opinions(45), tiny.opinions(16, 1)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return tiny.save_encoder(tmp_path_factory.mktemp("base"))


def stopped(plan, base, out, kind, number):
    """Train until SIGTERM comes with the `number`th event of a kind; the events."""
    told = []

    def tell(event):
        told.append(event)
        if event["event"] == kind and sum(e["event"] == kind for e in told) == number:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        encoders.train(plan, base, ROWS, VALIDATION, out, tell)
    return told


@pytest.mark.slow
def test_a_signal_at_the_last_step_of_a_part_of_a_pass_does_not_keep_it_from_being_judged(base, tmp_path):
    plan = CLASSES.but(epochs=1.5)
    _, unbroken = encoders.train(plan, base, ROWS, VALIDATION, tmp_path / "unbroken")
    assert [point.step for point in unbroken.validation] == [3, 5]
    stopped(plan, base, tmp_path / "run", "step", 4)
    _, found = encoders.train(plan, base, ROWS, VALIDATION, tmp_path / "run")
    assert found.validation == unbroken.validation
    assert found.kept_step == unbroken.kept_step


@pytest.mark.slow
def test_a_signal_while_the_validation_rows_are_judged_ends_the_training_there(base, tmp_path):
    told = stopped(CLASSES, base, tmp_path / "run", "validation", 1)
    assert [event["step"] for event in told if event["event"] == "step"] == [1, 2, 3]
    assert _checkpoints.newest(tmp_path / "run", CLASSES)[1]["steps"] == 3


def session(folder, **running):
    plan = made.make_plan(made.make_selection())
    return Session(plan, folder, lambda _: None, Running(**running), tokens=2)


def test_memory_that_ends_in_one_of_several_processes_is_for_who_started_them(tmp_path):
    """They are started again with smaller batches; alone, there is nobody to do it."""

    def train(**_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    def trainer(processes):
        args = SimpleNamespace(world_size=processes, should_save=False)
        return SimpleNamespace(
            is_fsdp_enabled=True, is_deepspeed_enabled=False, model=None, args=args, train=train
        )

    with pytest.raises(torch.OutOfMemoryError):
        _lasting.run(trainer(2), session(tmp_path, processes=2))
    with pytest.raises(TrainingFailed, match="did not fit the memory"):
        _lasting.run(trainer(1), session(tmp_path))


def test_several_processes_judge_as_the_first_of_them(tmp_path, monkeypatch):
    """One that stopped while the others go on would leave them waiting for ever."""
    ours = session(tmp_path)
    ours.agree = lambda *_: (0.25, 0.75)
    monkeypatch.setattr(_encoder_validation, "validate", lambda *_: (0.5, 0.5))
    judge = _encoder_validation.Validation(SimpleNamespace(validation=[1]), "accuracy", ours)
    judge.after_pass(torch.nn.Linear(1, 1), 1, 2, 1.0)
    assert (judge.points[0].loss, judge.points[0].score) == (0.25, 0.75)
    assert judge.best == (0.75, -0.25)


def test_four_bit_weights_are_computed_with_in_the_plans_precision():
    """On a CPU without bf16 units that is float32, not float16."""
    from tunekit_hub.trainers import sft

    for precision, kind in {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}.items():
        plan = made.make_plan(method="qlora", precision=precision)
        assert sft._quantization(plan).bnb_4bit_compute_dtype == kind


@pytest.mark.slow
def test_torchs_compiler_is_not_imported_for_adapters():
    """It takes as long as peft itself, and nothing compiles."""
    said = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True", "False", "False"]


IMPORT = """
import os, sys
from tunekit_hub.trainers import _imports
_imports.adapters("lora")
print("bitsandbytes" in sys.modules or sys.platform != "linux")
print("torch._inductor.compile_fx" in sys.modules, "TORCHDYNAMO_DISABLE" in os.environ)
"""


@pytest.mark.slow
def test_a_run_goes_on_with_other_batches_in_the_middle_of_a_pass(tmp_path):
    """Rows are those that were not taken yet: none is missed, none is trained twice."""
    import tunekit_hub as tk

    hub, plan = tiny.chat_plan(tmp_path, 18, batch_size=2, accumulation=2)
    unbroken = tk.train(plan, tmp_path / "unbroken", hub=hub)
    assert unbroken.steps == 8

    def stop(event):
        if event["event"] == "step" and event["step"] == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        tk.train(plan, tmp_path / "run", hub=hub, on_event=stop)
    other = plan.but(batch_size=4, accumulation=1)
    assert _checkpoints.newest(tmp_path / "run", other)[1]["steps"] in (1, 2)
    found = tk.train(other, tmp_path / "run", hub=hub)
    assert [p.step for p in found.losses] == [p.step for p in unbroken.losses]
    assert [p.loss for p in found.losses] == pytest.approx([p.loss for p in unbroken.losses], abs=1e-4)
