"""Our trainer against a plain loop written out by hand: the same losses, gradients and steps.

The loop takes each row alone, in float32, with every logit and no padding; so it also says that rows of a batch do
not see one another.
"""

from __future__ import annotations

import math
from contextlib import nullcontext

import pytest
import tiny
import torch
from watched import Watched, adapt, largest_difference, loss_of_rows, watch

import tunekit_hub as tk
from tunekit_hub import splits, supervision
from tunekit_hub.trainers import _order, _sft_loss

pytestmark = pytest.mark.slow
PASSES, RATE = 2, 5e-3


@pytest.fixture
def seen(monkeypatch):
    return watch(monkeypatch, Watched())


def train(tmp_path, method="lora", batch=6, accumulation=1):
    """A float32 training of two passes; the Hub, the plan, the result and the rows as they were encoded."""
    hub, plan = tiny.chat_plan(tmp_path, 30, epochs=float(PASSES), learning_rate=RATE)
    changes = {"precision": "fp32", "method": method, "batch_size": batch, "accumulation": accumulation}
    if method == "full":
        changes |= {"lora_rank": None, "lora_alpha": None}
    plan = plan.but(**changes)
    done = tk.train(plan, tmp_path / "run", hub=hub)
    tokenizer = supervision.load_tokenizer(hub.folder)
    chats = splits.split(plan.selection.recommendation.profile, plan.seed).train
    return hub, plan, done, supervision.supervise(tokenizer, chats, plan.max_tokens).rows


def plain_model(hub, plan, weights):
    """The base model, with an adapter where the plan has one, and these weights where it is trained."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(hub.folder, dtype=torch.float32)
    if plan.method != "full":
        return model, adapt(model, weights, plan.lora_alpha / plan.lora_rank)
    trained = dict(model.named_parameters())
    assert trained.keys() == weights.keys()
    assert all(torch.equal(trained[name], weight) for name, weight in weights.items())
    return model, trained


def plain_loop(hub, plan, weights, rows):
    """Loss and gradients of each step: AdamW, warm-up and cosine, gradients clipped to a norm of one."""
    model, trained = plain_model(hub, plan, weights)
    optimizer = torch.optim.AdamW(trained.values(), lr=plan.learning_rate, weight_decay=0.0)
    size = plan.batch_size * plan.accumulation
    lengths = [len(row.input_ids) for row in rows]
    order = [step for epoch in range(PASSES) for step in _order.steps(lengths, size, plan.seed, epoch)]
    warmup = math.ceil(plan.warmup * len(order))
    for number, places in enumerate(order):
        loss = loss_of_rows(model, [rows[i] for i in places])
        optimizer.zero_grad()
        loss.backward()
        yield loss.item(), {name: p.grad.clone() for name, p in trained.items()}
        torch.nn.utils.clip_grad_norm_(trained.values(), 1.0)
        done = (number - warmup) / (len(order) - warmup)
        share = (number + 1) / warmup if number < warmup else 0.5 * (1 + math.cos(math.pi * done))
        optimizer.param_groups[0]["lr"] = plan.learning_rate * share
        optimizer.step()


@pytest.mark.parametrize("method", ["lora", "full"])
@pytest.mark.parametrize(("batch", "accumulation"), [(6, 1), (2, 3)])
def test_losses_and_gradients_are_those_of_a_plain_loop(tmp_path, seen, method, batch, accumulation):
    hub, plan, done, rows = train(tmp_path, method, batch, accumulation)
    assert len({len(row.input_ids) for row in rows}) > 5  # so that batches are padded
    steps = list(plain_loop(hub, plan, seen.weights[0], rows))
    assert len(steps) == done.steps == len(seen.gradients)
    for number, (loss, gradients) in enumerate(steps):
        assert done.losses[number].loss == pytest.approx(loss, rel=1e-4), f"step {number + 1}"
        assert largest_difference(seen.gradients[number], gradients) < 5e-3, f"step {number + 1}"
    assert steps[-1][0] < 0.95 * steps[0][0]


@pytest.mark.parametrize("padded", [False, True])
def test_a_rows_loss_does_not_depend_on_its_neighbours(tmp_path, seen, padded):
    """The rows of a batch in another order, and with other neighbours, have the loss they had."""
    train(tmp_path)
    batch = max(seen.batches, key=lambda batch: int((batch["labels"] == -100).sum()))
    count = len(batch["input_ids"])
    assert count > 1

    def loss(labels, ids, order=slice(None)):
        given = {"labels": labels, "input_ids": ids, "attention_mask": batch["attention_mask"]}
        given = {name: value[order] for name, value in given.items()}
        with torch.no_grad(), nullcontext() if padded else _sft_loss.without_padding(seen.trainer) as done:
            assert done is None if padded else done
            return float(seen.trainer.compute_loss(seen.trainer.model, given, num_items_in_batch=1))

    def alone(row, ids):
        """The loss of one row among the others."""
        labels = torch.full_like(batch["labels"], -100)
        labels[row] = batch["labels"][row]
        return loss(labels, ids)

    ids, turned = batch["input_ids"], torch.arange(count).flip(0)
    assert loss(batch["labels"], ids, turned) == pytest.approx(loss(batch["labels"], ids), rel=1e-5)
    for row in range(count):
        others = torch.randint_like(ids, 3, 200)
        others[row] = ids[row]
        assert alone(row, others) == pytest.approx(alone(row, ids), rel=1e-5)


def test_padding_carries_no_loss_and_the_end_of_an_answer_does_where_pad_is_eos(tmp_path, seen):
    hub, _, _, rows = train(tmp_path)
    tokenizer = supervision.load_tokenizer(hub.folder)
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    expected = sum(row.labels.count(tokenizer.eos_token_id) for row in rows)
    padding = ends = 0
    for batch in seen.batches:
        for ids, labels in zip(batch["input_ids"], batch["labels"], strict=True):
            length = max((i + 1 for i, token in enumerate(ids) if token != tokenizer.pad_token_id), default=0)
            padding += len(ids) - length
            ends += int((labels == tokenizer.eos_token_id).sum())
            assert (labels[length + 1 :] == -100).all()  # a row may end with its own EOS
    assert padding > 0
    assert ends == PASSES * expected
    assert expected >= len(rows)


def test_what_is_saved_is_the_models_own_template(tmp_path, seen):
    hub, _, _, _ = train(tmp_path)
    saved = (tmp_path / "run" / "model" / "chat_template.jinja").read_bytes()
    assert saved == (hub.folder / "chat_template.jinja").read_bytes()
