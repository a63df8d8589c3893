"""Every method and precision trains, is saved, and loads again to the same answers."""

from __future__ import annotations

import sys

import pytest
import tiny

import tunekit_hub as tk
from tunekit_hub.errors import TrainingFailed
from tunekit_hub.trainers import _sft_loss

pytestmark = pytest.mark.slow


@pytest.fixture
def job(tmp_path):
    return tiny.chat_plan(tmp_path, 30)


@pytest.fixture
def hub(job):
    return job[0]


@pytest.fixture
def plan(job):
    return job[1]


@pytest.mark.parametrize(
    ("method", "precision"),
    [("lora", "fp32"), ("lora", "bf16"), ("full", "fp32"), ("full", "bf16"), ("qlora", "bf16")],
)
def test_what_is_trained_is_float32_and_loads_again(plan, hub, tmp_path, monkeypatch, method, precision):
    if method == "qlora" and not sys.platform.startswith("linux"):
        pytest.skip("bitsandbytes is installed on Linux only")
    kind, seen = _sft_loss.answer_loss_trainer(), set()
    step = kind.training_step

    def watched(self, model, *args, **kwargs):
        seen.update(str(p.dtype) for p in model.parameters() if p.requires_grad)
        return step(self, model, *args, **kwargs)

    monkeypatch.setattr(kind, "training_step", watched)
    changes = {"method": method, "precision": precision}
    if method == "full":
        changes |= {"lora_rank": None, "lora_alpha": None}
    training = tk.train(plan.but(**changes), tmp_path / "run", hub=hub)
    assert seen == {"torch.float32"}
    assert training.losses[-1].loss < training.losses[0].loss
    names = {path.name for path in (tmp_path / "run" / "model").iterdir()}
    assert ("model.safetensors" in names) == (method == "full")
    assert ("adapter_model.safetensors" in names) == (method != "full")
    assert tk.evaluate(training, hub=hub).reload.passed


def test_the_loss_is_that_of_a_plain_loop(plan, hub, tmp_path):
    """The first step's loss: float32, no padding tricks, every logit, the mean over the answers' tokens."""
    import torch
    from transformers import AutoModelForCausalLM, set_seed

    from tunekit_hub import splits, supervision

    one_step = plan.but(batch_size=26, accumulation=1, epochs=1.0)
    training = tk.train(one_step, tmp_path / "run", hub=hub)
    rows = splits.split(plan.selection.recommendation.profile, plan.seed).train
    tokenizer = supervision.load_tokenizer(hub.folder)
    set_seed(plan.seed)
    model = AutoModelForCausalLM.from_pretrained(hub.folder, dtype=torch.float32).eval()
    total, tokens = 0.0, 0
    for row in supervision.supervise(tokenizer, rows, plan.max_tokens).rows:
        with torch.no_grad():
            logits = model(torch.tensor([row.input_ids])).logits[0, :-1]
        targets = torch.tensor(row.labels[1:])
        total += float(torch.nn.functional.cross_entropy(logits, targets, ignore_index=-100, reduction="sum"))
        tokens += int((targets != -100).sum())
    assert len(rows) == 26
    assert training.losses[0].loss == pytest.approx(total / tokens, abs=1e-4)


def test_a_loss_that_is_no_number_stops_the_run(plan, hub, tmp_path, monkeypatch):
    kind = _sft_loss.answer_loss_trainer()
    loss = kind.compute_loss
    monkeypatch.setattr(kind, "compute_loss", lambda *args, **kwargs: loss(*args, **kwargs) * float("nan"))
    with pytest.raises(TrainingFailed, match="the loss is nan at step 1"):
        tk.train(plan, tmp_path / "run", hub=hub)


def test_a_time_limit_ends_the_training_and_keeps_what_there_is(plan, hub, tmp_path):
    training = tk.train(plan.but(epochs=500.0, time_limit=3.0), tmp_path / "run", hub=hub)
    assert training.stopped_early == "the time limit of 3 s was reached"
    assert 0 < training.epochs < 500
    assert (tmp_path / "run" / "model" / "adapter_model.safetensors").exists()
