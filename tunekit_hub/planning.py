"""Stage 4: every setting of the training, each with its reason. The method is the selection's; this tunes it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tunekit_hub import estimates, extras, supervision
from tunekit_hub.errors import PlanError
from tunekit_hub.facts import Architecture, Hardware, Method, Options
from tunekit_hub.hub import Hub
from tunekit_hub.records import Lengths, Memory, Plan, Selection
from tunekit_hub.splits import Split, split
from tunekit_hub.tasks import TASKS
from tunekit_hub.units import count, duration, size

TRAINING_SHARE = 0.4  # of a time budget; the rest is for fetching, evaluation and a slower machine than thought
MARGIN = 0.85  # of the training's share is planned with; the machine may be busier than it looks
EPOCHS = 3.0
BATCHES = (8, 4, 2, 1)
CPU_BATCH = 4  # larger batches are no faster on a CPU and pad more
LENGTH_STEP = 64
FULL_RATE = 2e-5
# LoRA takes about ten times the rate of full fine-tuning (Schulman et al., "LoRA Without Regret", 2025), and small
# models take more than large ones: parameters up to → rate. The first is measured, see docs/planning.md.
LORA_RATES = ((500e6, 1e-3), (3e9, 5e-4), (float("inf"), 2e-4))
# Rows a step: few rows need small steps to get enough of them.
STEP_ROWS = ((500, 4), (2000, 8), (float("inf"), 16))
WHOLE = ("max_tokens", "batch_size", "accumulation", "lora_rank", "lora_alpha")
SETTABLE = (
    "learning_rate",
    "epochs",
    "max_tokens",
    "batch_size",
    "accumulation",
    "warmup",
    "lora_rank",
    "lora_alpha",
)


@dataclass
class _Draft:
    """Settings on their way to a plan, each with a reason."""

    values: dict[str, Any]
    reasons: dict[str, str]

    def set(self, name: str, value: Any, reason: str) -> Any:
        """Keep the user's value if there is one, else this one."""
        if name in self.values:
            self.reasons[name] = f"set by you; would have been {value}: {reason}"
            return self.values[name]
        self.values[name], self.reasons[name] = value, reason
        return value


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
        overrides: any of `SETTABLE`, kept as they are and marked as the user's.

    Raises:
        PlanError: an unknown or impossible setting.
    """
    check_settings(overrides)
    rows = split(selection.recommendation.profile, seed)
    request, arch, method = selection.request, selection.architecture, selection.method
    draft = _Draft(dict(overrides), {})
    draft.reasons["method"] = _method_reason(method, arch, request.hardware)
    draft.set("precision", estimates.precision(request.hardware), _precision_reason(request.hardware))
    tokens = _lengths(selection, rows, hub or Hub())
    _set_length(draft, tokens, arch)
    memory = _set_batch(draft, arch, method, request.hardware, len(rows.train))
    _set_rates(draft, arch, method)
    again = draft.values["checkpointing"]
    share = len(rows.train) / (len(rows.train) + len(rows.held_out))
    epoch = estimates.train_seconds(arch, method, request.hardware, tokens.total * share, again=again)
    limit = request.max_time * TRAINING_SHARE if request.max_time else None
    epochs = draft.set("epochs", *_epochs(epoch, limit))
    measured = request.but(tokens=tokens.total)
    download = arch.parameters * 4
    whole = estimates.run_seconds(download, arch, method, measured, epochs=epochs)
    return Plan(
        selection=selection,
        trainer=TASKS[selection.recommendation.profile.task].trainer,
        method=method,
        tokens=tokens,
        seed=seed,
        eval_rows=len(rows.held_out),
        train_rows=len(rows.train),
        memory=memory,
        train_seconds=epoch * epochs,
        seconds=whole,
        time_limit=limit,
        reasons=draft.reasons,
        **draft.values,
    )


def check_settings(overrides: dict[str, Any]) -> None:
    """Refuse settings that do not exist or cannot be, before anything is asked of the Hub.

    Raises:
        PlanError: naming all of them.
    """
    unknown = sorted(set(overrides) - set(SETTABLE))
    if unknown:
        raise PlanError(f"no such setting: {', '.join(unknown)}", f"settings are: {', '.join(SETTABLE)}")
    wrong = {name: value for name, value in overrides.items() if not _possible(name, value)}
    if wrong:
        raise PlanError(
            f"not a positive number: {', '.join(f'{name}={value!r}' for name, value in wrong.items())}",
            f"whole numbers are: {', '.join(WHOLE)}",
        )


def _possible(name: str, value: Any) -> bool:
    if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        return False
    return name not in WHOLE or value == int(value)


def _lengths(selection: Selection, rows: Split, hub: Hub) -> Lengths:
    """Token lengths by the model's own tokenizer and template; the profile's estimate without transformers."""
    if extras.missing("train"):
        return selection.recommendation.profile.tokens
    tokenizer = supervision.load_tokenizer(hub.fetch(selection.repo_id, selection.revision, weights=False))
    done = supervision.supervise(tokenizer, [*rows.train, *rows.held_out], selection.architecture.context)
    return supervision.lengths(done.lengths)


def _set_length(draft: _Draft, tokens: Lengths, arch: Architecture) -> None:
    rounded = min(arch.context, -(-tokens.max // LENGTH_STEP) * LENGTH_STEP)
    if tokens.max <= 2 * tokens.p95:
        reason = f"the longest row has {count(tokens.max)} tokens, so none is cut"
    else:
        rounded = min(arch.context, -(-tokens.p95 // LENGTH_STEP) * LENGTH_STEP)
        reason = f"95 % of the rows have at most {count(tokens.p95)} tokens; longer ones are cut, and counted"
    limit = draft.set(
        "max_tokens", max(rounded, LENGTH_STEP), reason + (" (estimated)" if tokens.estimated else "")
    )
    if limit > arch.context:
        raise PlanError(f"the model reads {count(arch.context)} tokens, not {count(limit)}", "lower `max_tokens`")


def _set_batch(draft: _Draft, arch: Architecture, method: Method, hardware: Hardware, rows: int) -> Memory:
    """The largest batch that fits, without computing activations again if possible; its predicted memory."""
    wanted = _step(STEP_ROWS, rows)
    most = CPU_BATCH if hardware.device == "cpu" else BATCHES[0]
    tried = [draft.values["batch_size"]] if "batch_size" in draft.values else [b for b in BATCHES if b <= most]
    ways = [(batch, again) for again in (False, True) for batch in tried]
    for batch, again in ways:
        need = estimates.memory(
            arch, method, hardware, tokens=draft.values["max_tokens"], batch=batch, checkpointing=again
        )
        if need.total <= hardware.memory * estimates.SAFETY:
            break
    else:
        raise PlanError(
            f"even one row of {draft.values['max_tokens']} tokens needs {size(need.total)}; "
            f"{size(hardware.memory)} are available",
            "cut rows shorter: `--set max_tokens=…`",
        )
    draft.set("batch_size", batch, f"the largest that fits: {size(need.total)} of {size(hardware.memory)}")
    if hardware.device == "cpu" and batch == CPU_BATCH:
        draft.reasons["batch_size"] = "a CPU gains nothing from larger batches, and they pad more"
    a_step = batch * max(1, wanted // batch)
    draft.set("accumulation", a_step // batch, f"{a_step} rows a step, which suits {count(rows)} rows")
    why = "activations are kept" if not again else "activations are computed twice"
    draft.set("checkpointing", again, f"{why}: {'they fit the memory' if not again else 'they would not fit'}")
    return need


def _set_rates(draft: _Draft, arch: Architecture, method: Method) -> None:
    if method == "full":
        draft.set("learning_rate", FULL_RATE, "usual for full fine-tuning of a pretrained model")
    else:
        rate = _step(LORA_RATES, arch.parameters)
        draft.set("learning_rate", rate, "LoRA takes ten times the rate of full fine-tuning, small models more")
    draft.set("warmup", 0.1, "a tenth of the steps, so that the first ones do no harm")
    rank = None if method == "full" else estimates.LORA_RANK
    why = (
        "all weights are trained" if method == "full" else "on every linear layer: near full quality on small data"
    )
    draft.set("lora_rank", rank, why)
    draft.set("lora_alpha", None if rank is None else 2 * draft.values["lora_rank"], "twice the rank, as is usual")


def _step(table: tuple[tuple[float, Any], ...], value: float) -> Any:
    """The entry of the first bound that `value` does not exceed."""
    return next(entry for bound, entry in table if value <= bound)


def _epochs(epoch: float, limit: float | None) -> tuple[float, str]:
    if limit is None or epoch * EPOCHS <= limit * MARGIN:
        return EPOCHS, "small data gains up to about three passes; more would repeat it by heart"
    fitting = max(1.0, int(limit * MARGIN / epoch * 10) / 10)
    return fitting, f"what {duration(limit)} of training allow at about {duration(epoch)} a pass"


def _method_reason(method: Method, arch: Architecture, hardware: Hardware) -> str:
    if method == "qlora":
        return "4-bit base weights: the least memory, at nearly the quality of LoRA"
    if method == "full":
        return f"{count(arch.parameters)} weights are few enough to train them all"
    if hardware.device == "cuda":
        return "the base fits in half precision, which trains faster than 4-bit"
    return f"4-bit training is for CUDA; on {hardware.device} LoRA on plain weights is right, and exact"


def _precision_reason(hardware: Hardware) -> str:
    if hardware.bf16:
        return "this hardware has bf16 units: half the memory, float32's range"
    if hardware.device == "cuda":
        return "no bf16 units before Ampere; fp16 with loss scaling"
    return "this processor has no bf16 units, where bf16 would be slower than float32"
