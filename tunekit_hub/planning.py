"""Stage 4: every setting of the training, each with its reason. The method is the selection's; this tunes it."""

from __future__ import annotations

from typing import Any

from tunekit_hub import estimates, extras
from tunekit_hub.errors import PlanError
from tunekit_hub.estimates.batching import method_reason, set_batch
from tunekit_hub.facts import Architecture, Hardware, Method, Options
from tunekit_hub.hub import Hub
from tunekit_hub.records import Lengths, Plan, Profile, Selection
from tunekit_hub.settings import Draft, check_settings, step
from tunekit_hub.splits import Split, split
from tunekit_hub.tasks import TASKS
from tunekit_hub.trainers import TRAINERS, Recipe, Trainer
from tunekit_hub.units import count, duration

TRAINING_SHARE = 0.4  # of a time budget; the rest is for fetching, evaluation and a slower machine than thought
MARGIN = 0.85  # of the training's share is planned with; the machine may be busier than it looks
LENGTH_STEP = 64
SHORT = 256  # tokens; cutting rows no longer than this saves too little for what it loses


def plan(
    selection: Selection,
    *,
    seed: int = Options.model_fields["seed"].default,
    hub: Hub | None = None,
    **overrides: Any,
) -> Plan:
    """Settings for `selection` on the hardware of its request.

    Args:
        selection: the model and the method that fits.
        seed: fixes the split and the training.
        hub: where the model's tokenizer comes from, to count tokens as the model will.
        overrides: any of `settings.SETTABLE`, kept as they are and marked as the user's.

    Raises:
        PlanError: an unknown or impossible setting, or this machine's memory is too small; of a machine that was
            only named, the plan says that itself.
    """
    check_settings(overrides)
    profile, hub = selection.recommendation.profile, hub or Hub()
    trainer = TRAINERS[TASKS[profile.task].trainer]
    rows = split(profile, seed, hub=hub)
    request, arch, method = selection.request, selection.architecture, selection.method
    draft = Draft(dict(overrides), {})
    draft.reasons["method"] = method_reason(method, arch, request.hardware)
    draft.set("precision", estimates.precision(request.hardware), _precision_reason(request.hardware))
    tokens = _lengths(selection, trainer, rows, hub)
    _set_length(draft, tokens, arch)
    room = set_batch(draft, selection, trainer.recipe, len(rows.train))
    _set_rates(draft, arch, method, trainer.recipe)
    _set_labels(draft, profile, trainer.recipe, len(rows.train))
    predicted = _predictions(draft, selection, trainer.recipe, rows, tokens)
    return Plan(
        selection=selection,
        trainer=trainer.name,
        method=method,
        tokens=tokens,
        seed=seed,
        train_rows=len(rows.train),
        validation_rows=len(rows.validation),
        eval_rows=len(rows.held_out),
        memory=room.memory,
        fit=room.fit,
        advice=room.advice,
        reasons=draft.reasons,
        **predicted,
        **draft.values,
    )


def _predictions(
    draft: Draft, selection: Selection, recipe: Recipe, rows: Split, tokens: Lengths
) -> dict[str, Any]:
    """Time, cost, and what using the model takes; the passes that the time allows go into the draft."""
    request, arch, hardware = selection.request, selection.architecture, selection.request.hardware
    scale = tokens.total / (len(rows.train) + len(rows.validation) + len(rows.held_out))  # tokens a row
    again = draft.values["checkpointing"]
    epoch = estimates.train_seconds(arch, selection.method, hardware, len(rows.train) * scale, again=again)
    epoch += estimates.reading_seconds(arch, hardware, len(rows.validation) * scale)
    limit = request.max_time * TRAINING_SHARE if request.max_time else None
    wanted = passes(selection.recommendation.profile.task, recipe, len(rows.train))
    epochs = draft.set("epochs", *_epochs(epoch, limit, wanted, recipe.epochs_reason))
    around = estimates.around_seconds(arch, hardware, len(rows.held_out) * scale, len(rows.train))
    whole = epoch * epochs + around
    using = estimates.inference(arch, hardware, min(tokens.p95, draft.values["max_tokens"]))
    return {
        "train_seconds": epoch * epochs,
        "seconds": whole,
        "cost": None if hardware.price is None else hardware.price * whole / 3600,
        "inference_memory": using[0],
        "inference_seconds": using[1],
        "time_limit": limit,
    }


def _lengths(selection: Selection, trainer: Trainer, rows: Split, hub: Hub) -> Lengths:
    """Token lengths by the model's own tokenizer; the profile's estimate without transformers."""
    profile = selection.recommendation.profile
    if extras.missing("train"):
        return profile.tokens
    folder = hub.fetch(selection.repo_id, selection.revision, weights=False)
    every = [*rows.train, *rows.validation, *rows.held_out]
    return trainer.lengths(folder, profile, every, selection.architecture.context)


def _set_length(draft: Draft, tokens: Lengths, arch: Architecture) -> None:
    if tokens.max <= max(2 * tokens.p95, SHORT):
        wanted, reason = tokens.max, f"the longest row has {count(tokens.max)} tokens, so none is cut"
    else:
        reason = f"95 % of the rows have at most {count(tokens.p95)} tokens; longer ones are cut, and counted"
        wanted = tokens.p95
    if wanted > arch.context:
        reason = f"the model reads no more; the longest row has {count(tokens.max)} tokens, what is over is cut"
    rounded = min(arch.context, -(-wanted // LENGTH_STEP) * LENGTH_STEP)
    limit = draft.set(
        "max_tokens", max(rounded, LENGTH_STEP), reason + (" (estimated)" if tokens.estimated else "")
    )
    if limit > arch.context:
        raise PlanError(f"the model reads {count(arch.context)} tokens, not {count(limit)}", "lower `max_tokens`")


def _set_rates(draft: Draft, arch: Architecture, method: Method, recipe: Recipe) -> None:
    if method == "full":
        rate, why = step(recipe.full_rates, arch.parameters), "usual for full fine-tuning of a model of this size"
    else:
        rate = step(recipe.lora_rates, arch.parameters)
        why = "LoRA takes ten times the rate of full fine-tuning, small models more"
    draft.set("learning_rate", rate, why)
    draft.set("warmup", 0.1, "a tenth of the steps, so that the first ones do no harm")
    if method == "full":
        for name in ("lora_rank", "lora_alpha"):
            draft.omit(name, "all weights are trained")
        return
    why = "on every linear layer: near full quality on small data"
    rank = draft.set("lora_rank", estimates.LORA_RANK, why)
    draft.set("lora_alpha", 2 * rank, "twice the rank, as is usual")


def _set_labels(draft: Draft, profile: Profile, recipe: Recipe, rows: int) -> None:
    """What only models with labels have: validation, and a weight for each label."""
    if recipe.patience is None:
        draft.omit("patience", "no rows are put aside to validate on")
    else:
        why = "the validation rows choose the checkpoint; training stops when it gets no better"
        draft.set("patience", step(recipe.patience, rows), why)
    if not TASKS[profile.task].weighs_labels:
        draft.omit("class_weights", "the rows have no classes")
        return
    counts = list(profile.labels.values())
    uneven = max(counts) / max(min(counts), 1) if len(counts) > 1 else 1.0
    said = f"the most frequent label has {uneven:.1f} times the rows of the rarest"
    draft.values["class_weights"] = bool(draft.set("class_weights", uneven >= estimates.CLASS_WEIGHTS_FROM, said))


def passes(task: str, recipe: Recipe, rows: int) -> float:
    """Passes over so many training rows where the time does not matter: the task's own, or its trainer's."""
    return step(TASKS[task].epochs or recipe.epochs, rows)


def _epochs(epoch: float, limit: float | None, wanted: float, reason: str) -> tuple[float, str]:
    """As many passes as are wanted, or as the time allows."""
    if limit is None or epoch * wanted <= limit * MARGIN:
        return wanted, reason
    fitting = max(1.0, int(limit * MARGIN / epoch * 10) / 10)
    return fitting, f"what {duration(limit)} of training allow at about {duration(epoch)} a pass"


def _precision_reason(hardware: Hardware) -> str:
    if hardware.bf16:
        return "this hardware has bf16 units: half the memory, float32's range"
    if hardware.device == "cuda":
        return "no bf16 units before Ampere; fp16 with loss scaling"
    return "this processor has no bf16 units, where bf16 would be slower than float32"
