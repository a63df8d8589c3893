"""An encoder's training against a plain loop written out by hand: the same losses, gradients and steps.

The loop takes each sentence alone, in float32 and without padding. The gradient of a step counts by the labels it
has: it is divided by how many a usual step has, and the loss that is told by how many this one has.
"""

from __future__ import annotations

import json
import math

import encoders
import pytest
import tiny
import torch
from watched import Watched, largest_difference, watch

from tunekit_hub.trainers import _order

pytestmark = pytest.mark.slow
PASSES, STEP_ROWS = 2, 8
SHIFTS = ".key.bias"  # shifts all scores of a token alike, so its gradient is zero but for rounding


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """Without dropout, whose chance depends on the batches."""
    folder = tiny.save_encoder(tmp_path_factory.mktemp("base"))
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def plain_loop(plan, base, done, weights):
    """Loss and gradients of each step: AdamW, warm-up and a line down, gradients clipped to a norm of one."""
    from transformers import AutoModelForTokenClassification

    model = AutoModelForTokenClassification.from_pretrained(base, num_labels=len(done.labels.names)).eval()
    trained = dict(model.named_parameters())
    with torch.no_grad():
        for name, weight in trained.items():
            weight.copy_(weights[name])
    still = [p for name, p in trained.items() if name.endswith("bias") or "LayerNorm" in name]
    others = [p for p in trained.values() if not any(p is other for other in still)]
    groups = [{"params": others, "weight_decay": 0.01}, {"params": still, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=plan.learning_rate)
    lengths = [len(row.input_ids) for row in done.train]
    order = [step for epoch in range(PASSES) for step in _order.steps(lengths, STEP_ROWS, plan.seed, epoch)]
    labels = sum(sum(label >= 0 for label in row.labels) for row in done.train)
    usual, warmup = STEP_ROWS * labels / len(done.train), math.ceil(plan.warmup * len(order))
    for number, places in enumerate(order):
        total, items = torch.zeros(()), 0
        for row in (done.train[i] for i in places):
            shares = model(input_ids=torch.tensor([row.input_ids])).logits[0].log_softmax(-1)
            for place, label in enumerate(row.labels):
                if label >= 0:
                    total = total - (done.weights[label] if done.weights else 1.0) * shares[place, label]
                    items += 1
        optimizer.zero_grad()
        (total / usual).backward()
        yield float(total.detach()) / items, {name: p.grad.clone() for name, p in trained.items()}
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        done_share = (number - warmup) / (len(order) - warmup)
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * ((number + 1) / warmup if number < warmup else 1 - done_share)
        optimizer.step()


@pytest.mark.parametrize(("accumulation", "weighted"), [(1, True), (2, True), (2, False)])
def test_losses_and_gradients_are_those_of_a_plain_loop(base, tmp_path, monkeypatch, accumulation, weighted):
    seen = watch(monkeypatch, Watched())
    plan = tiny.encoder_plan("ner", "BIO tags", epochs=float(PASSES), class_weights=weighted)
    plan = plan.but(batch_size=STEP_ROWS // accumulation, accumulation=accumulation)
    done, fitted = encoders.train(plan, base, tiny.sentences(29), [], tmp_path / "run")
    assert len({sum(label >= 0 for label in row.labels) for row in done.train}) > 1
    steps = list(plain_loop(plan, base, done, seen.weights[0]))
    assert len(steps) == fitted.steps == 8
    for number, (loss, gradients) in enumerate(steps):
        assert fitted.losses[number].loss == pytest.approx(loss, rel=1e-4), f"step {number + 1}"
        ours = {name: found for name, found in seen.gradients[number].items() if not name.endswith(SHIFTS)}
        theirs = {name: found for name, found in gradients.items() if not name.endswith(SHIFTS)}
        assert largest_difference(ours, theirs) < 1e-2, f"step {number + 1}"
