"""An encoder with a new head, as it is trained and as it is saved.

LoRA is how a model is trained that would not fit otherwise; what is saved is always the whole, merged model. An
adapter for a classifier would hold no label names, and no pipeline could load it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tunekit_hub.records import Plan
from tunekit_hub.tasks._heads import Head, Labels


def build(plan: Plan, base: Path, head: Head, labels: Labels) -> Any:
    """The base model in float32 with a new head that knows the labels' names; with adapters if the plan says so.

    Float32 whatever the checkpoint's type, because some are published in float16, whose small updates are lost.
    """
    import torch
    import transformers

    model, found = getattr(transformers, head.model_class).from_pretrained(
        base,
        num_labels=len(labels.names),
        id2label=dict(enumerate(labels.names)),
        label2id=dict(labels.ids),
        problem_type=labels.problem,
        dtype=torch.float32,
        ignore_mismatched_sizes=True,  # a base with a head for other labels gets a new one
        output_loading_info=True,
    )
    return model if plan.method == "full" else _with_adapters(plan, model, head, _new_modules(model, found))


def trained(model: Any) -> dict[str, Any]:
    """A copy of what is being trained, in main memory."""
    weights = model.named_parameters()
    return {name: w.detach().to("cpu", copy=True) for name, w in weights if w.requires_grad}


def put_back(model: Any, kept: dict[str, Any]) -> None:
    """Set what is being trained to a copy made by `trained`."""
    import torch

    with torch.no_grad():
        for name, weight in model.named_parameters():
            if name in kept:
                weight.copy_(kept[name])


def save(plan: Plan, model: Any, tokenizer: Any, folder: Path) -> None:
    """Whole weights, the config with the labels' names, and the tokenizer.

    A tokenizer that knows no limit gets the model's: a pipeline asked to truncate would not, and fail.
    """
    if plan.method != "full":
        model = model.merge_and_unload(safe_merge=True)
    model.save_pretrained(folder)
    tokenizer.model_max_length = min(tokenizer.model_max_length, plan.selection.architecture.context)
    tokenizer.save_pretrained(folder)


def _new_modules(model: Any, found: dict[str, Any]) -> list[str]:
    """Names of the modules that the checkpoint has no weights for: the head, and often a pooler."""
    backbone = model.base_model_prefix + "."
    mismatched = [key[0] if isinstance(key, tuple) else key for key in found.get("mismatched_keys", ())]
    keys = [*found["missing_keys"], *mismatched]
    return sorted({key.removeprefix(backbone).split(".")[0] for key in keys})


def _with_adapters(plan: Plan, model: Any, head: Head, new: list[str]) -> Any:
    """LoRA on every linear layer of the backbone; modules without pretrained weights are trained in full.

    "all-linear" would put adapters inside of the head, or fail, and leave a new pooler untrained and unsaved.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    backbone = model.base_model_prefix + "."
    targets = [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear)
        and name.startswith(backbone)
        and not set(new) & set(name.split("."))
    ]
    if plan.checkpointing:
        model.enable_input_require_grads()  # otherwise nothing before the first adapter asks for a gradient
    assert plan.lora_rank and plan.lora_alpha
    adapters = LoraConfig(
        task_type=head.peft_type,
        r=plan.lora_rank,
        lora_alpha=plan.lora_alpha,
        target_modules=targets,
        modules_to_save=new,
    )
    return get_peft_model(model, adapters)
