"""Looks over a trainer's shoulder: what it starts from, and the gradients and loss of each step."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

Weights = dict[str, torch.Tensor]


@dataclass
class Watched:
    """Filled while a training goes on. Weights and gradients are by name, of what is trained."""

    weights: list[Weights] = field(default_factory=list)  # before each step
    gradients: list[Weights] = field(default_factory=list)  # of each step, before they are clipped
    batches: list[dict[str, Any]] = field(default_factory=list)  # as the model gets them
    trainer: Any = None

    def begin(self, trainer: Any, model: Any, step: int) -> None:
        """Called before each batch of a step; for tests to override."""


def watch(monkeypatch, seen: Watched) -> Watched:
    """Every training from now on is seen."""
    from transformers import Trainer

    plain = Trainer.training_step

    def step(self, model, inputs, *args, **kwargs):
        seen.trainer = self
        at = self.state.global_step
        whole = self.accelerator.unwrap_model(model)
        trained = {name: p for name, p in whole.named_parameters() if p.requires_grad}
        if at == len(seen.weights):
            seen.weights.append({name: p.detach().clone() for name, p in trained.items()})
            seen.gradients.append({})
        seen.batches.append({name: value.clone() for name, value in inputs.items() if torch.is_tensor(value)})
        seen.begin(self, model, at)
        loss = plain(self, model, inputs, *args, **kwargs)
        seen.gradients[at] = {name: p.grad.detach().clone() for name, p in trained.items() if p.grad is not None}
        return loss

    monkeypatch.setattr(Trainer, "training_step", step)
    return seen


def largest_difference(one: Weights, other: Weights) -> float:
    """Of any two numbers, as a share of the largest number of the weight they are in."""
    assert one.keys() == other.keys()
    shares = [
        float(
            (one[name].float() - other[name].float()).abs().max() / other[name].float().abs().max().clamp(min=1e-8)
        )
        for name in one
    ]
    return max(shares)


def loss_of_rows(model: Any, rows: Any) -> torch.Tensor:
    """The mean over the trained tokens of some rows, each alone: no padding, no batch, every logit, in float32."""
    total, tokens = torch.zeros(()), 0
    for row in rows:
        logits = model(input_ids=torch.tensor([row.input_ids])).logits[0, :-1].float()
        targets = torch.tensor(row.labels[1:])
        total = total + torch.nn.functional.cross_entropy(logits, targets, ignore_index=-100, reduction="sum")
        tokens += int((targets != -100).sum())
    return total / tokens


class Adapted(torch.nn.Module):
    """A linear layer with an adapter on it, written out: W x + scale · B A x. (Hu et al., "LoRA", 2021.)"""

    def __init__(self, layer: torch.nn.Linear, a: torch.Tensor, b: torch.Tensor, scale: float):
        super().__init__()
        self.layer, self.scale = layer, scale
        self.a, self.b = torch.nn.Parameter(a.clone()), torch.nn.Parameter(b.clone())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x) + self.scale * (x @ self.a.T @ self.b.T)


def adapt(model: Any, weights: Weights, scale: float) -> dict[str, torch.nn.Parameter]:
    """Put adapters with these weights on the model, whose own stay; what is trained, by peft's names."""
    model.requires_grad_(False)
    trained = {}
    for name in (name for name in weights if ".lora_A." in name):
        other = name.replace(".lora_A.", ".lora_B.")
        place = name.removeprefix("base_model.model.").partition(".lora_A.")[0]
        layer = Adapted(model.get_submodule(place), weights[name], weights[other], scale)
        holder, _, own = place.rpartition(".")
        setattr(model.get_submodule(holder), own, layer)
        trained |= {name: layer.a, other: layer.b}
    assert trained.keys() == weights.keys()
    return trained
