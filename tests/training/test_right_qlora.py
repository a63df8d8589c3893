"""QLoRA for real on a CPU: the gradients are those of the dequantized weights, also after an evaluation."""

from __future__ import annotations

import sys

import pytest
import tiny
import torch
from watched import Watched, adapt, largest_difference, loss_of_rows, watch

import tunekit_hub as tk
from tunekit_hub import splits, supervision
from tunekit_hub.trainers import _order

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="bitsandbytes is installed on Linux only"),
]
EVALUATED = 2  # before this step the model is evaluated


class Evaluated(Watched):
    """Keeps the dequantized weights, and evaluates in the middle of the training."""

    def __init__(self):
        super().__init__()
        self.whole: dict[str, torch.Tensor] = {}
        self.fast_paths: set[bool] = set()

    def begin(self, trainer, model, step):
        import bitsandbytes as bnb

        layers = {n: m for n, m in model.named_modules() if isinstance(m, bnb.nn.Linear4bit)}
        assert layers
        self.fast_paths |= {layer.support_avx512bf16_for_cpu for layer in layers.values()}
        if step == 0:
            for name, layer in layers.items():
                weight = bnb.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
                self.whole[name] = weight.float()
        if step == EVALUATED:
            model.eval()
            ids = torch.tensor([[1, 40, 41, 42]])
            with torch.no_grad():
                model(input_ids=ids)
                model.generate(
                    input_ids=ids, attention_mask=torch.ones_like(ids), max_new_tokens=3, pad_token_id=2
                )
            model.train()


def dequantized(hub, plan, seen):
    """A plain model with the weights that the 4-bit one stands for, and the same adapter on it."""
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(hub.folder, dtype=torch.float32)
    with torch.no_grad():
        for name, weight in seen.whole.items():
            layer = model.get_submodule(name.removeprefix("base_model.model.").removesuffix(".base_layer"))
            assert not torch.equal(layer.weight, weight)  # four bits lose something
            layer.weight.copy_(weight)
    return model, adapt(model, seen.weights[0], plan.lora_alpha / plan.lora_rank)


def test_gradients_are_those_of_the_dequantized_weights_before_and_after_an_evaluation(tmp_path, monkeypatch):
    import bitsandbytes as bnb

    # As on a CPU with AVX512-BF16, where an evaluation would cut the layers off from the gradient.
    monkeypatch.setattr(bnb.nn.modules, "has_avx512bf16", lambda: True)
    seen = watch(monkeypatch, Evaluated())
    hub, plan = tiny.chat_plan(tmp_path, 30, epochs=1.0, learning_rate=5e-3)
    plan = plan.but(method="qlora", precision="bf16", batch_size=6, accumulation=1)
    tk.train(plan, tmp_path / "run", hub=hub)
    assert seen.fast_paths == {False}
    assert len(seen.gradients) > EVALUATED + 1

    tokenizer = supervision.load_tokenizer(hub.folder)
    chats = splits.split(plan.selection.recommendation.profile, plan.seed).train
    rows = supervision.supervise(tokenizer, chats, plan.max_tokens).rows
    order = _order.steps([len(row.input_ids) for row in rows], 6, plan.seed, 0)
    model, trained = dequantized(hub, plan, seen)
    for step, places in enumerate(order):
        with torch.no_grad():
            for name, weight in seen.weights[step].items():
                trained[name].copy_(weight)
        model.zero_grad()
        loss_of_rows(model, [rows[i] for i in places]).backward()
        expected = {name: p.grad for name, p in trained.items()}
        assert largest_difference(seen.gradients[step], expected) < 0.1, f"step {step + 1}"  # in bf16
        assert agreement(seen.gradients[step], expected) > 0.999, f"step {step + 1}"


def agreement(one, other):
    """The cosine of the angle between all gradients of both."""
    a, b = (torch.cat([found[name].flatten().float() for name in sorted(found)]) for found in (one, other))
    return float(torch.nn.functional.cosine_similarity(a, b, dim=0))
