"""The batch of a plan: as large as the memory allows with ease, without computing anything twice if possible."""

from __future__ import annotations

from dataclasses import dataclass

from tunekit_hub import estimates
from tunekit_hub.errors import PlanError
from tunekit_hub.facts import Architecture, Hardware, Method
from tunekit_hub.figures import Fits
from tunekit_hub.records import Memory, Selection
from tunekit_hub.settings import Draft, step
from tunekit_hub.trainers import Recipe
from tunekit_hub.units import count, size


@dataclass(frozen=True)
class Room:
    """What the training will take of the memory, and what to do where that is too much."""

    memory: Memory
    fit: Fits
    advice: str = ""


def set_batch(draft: Draft, selection: Selection, recipe: Recipe, rows: int) -> Room:
    """Batch, accumulation and checkpointing, in the draft; and the room they need.

    The first way that fits with ease is taken, larger batches first, those without checkpointing before; else the
    one that needs least.

    Raises:
        PlanError: not even that fits this machine. For a machine that was only named, that is an answer.
    """
    arch, method, hardware = selection.architecture, selection.method, selection.request.hardware
    wanted = step(recipe.step_rows, rows)
    most = min(wanted, recipe.cpu_batch if hardware.device == "cpu" else recipe.batches[0])
    named = draft.values.get("batch_size")
    tried = [named] if named else [batch for batch in recipe.batches if batch <= most]
    shapes = [_shape(draft, batch, again, wanted) for again in (False, True) for batch in tried]
    needs = [estimates.memory(arch, method, hardware, shape) for shape in shapes]
    easy = [i for i, need in enumerate(needs) if estimates.verdict(need, hardware) == "fits"]
    chosen = easy[0] if easy else min(range(len(needs)), key=lambda i: needs[i].total)
    shape, need = shapes[chosen], needs[chosen]
    room = _room(selection, need, shape.tokens)
    if room.fit == "no" and hardware.asked_as is None:
        smallest = "one row" if shape.batch == 1 else f"a batch of {shape.batch} rows"
        said = f"even {smallest} of {shape.tokens} tokens needs {size(need.total)}"
        raise PlanError(f"{said}; {size(hardware.memory)} are available", room.advice)
    why = f"the largest that fits with ease: {size(need.total)} of {size(hardware.memory)}"
    if room.fit != "fits":
        why = f"the least memory: {size(need.total)} of {size(hardware.memory)}"
    elif shape.batch == most:
        cpu = "a CPU gains nothing from larger batches, and they pad more"
        why = cpu if shape.batch < wanted else "all rows of a step at once"
    draft.set("batch_size", shape.batch, why)
    a_step = shape.batch * _accumulation(shape.batch, wanted)
    draft.set("accumulation", a_step // shape.batch, f"{a_step} rows a step, which suits {count(rows)} rows")
    why = "activations are computed twice: they would not fit" if shape.checkpointing else "activations are kept"
    draft.set("checkpointing", shape.checkpointing, why if shape.checkpointing else f"{why}: they fit the memory")
    return room


def method_reason(method: Method, arch: Architecture, hardware: Hardware) -> str:
    """Why this method."""
    if method == "qlora":
        return "4-bit base weights: the least memory, at nearly the quality of LoRA"
    if method == "full" and arch.kind == "decoder":
        return (
            f"{count(arch.parameters)} weights fit with all that training needs, and there are rows to train them"
        )
    if method == "full":
        return f"{count(arch.parameters)} weights are few enough to train them all"
    if arch.kind == "encoder":
        return "to train all weights would not fit; the adapters are merged into the model when it is done"
    if hardware.device == "cuda":
        small = arch.parameters <= estimates.SMALL_LM
        why = "so small a base gains little from 4 bits" if small else "4-bit weights do not fit the request"
        return f"the base fits in half precision, which trains faster than 4-bit: {why}"
    return f"4-bit training is for CUDA; on {hardware.device} LoRA on plain weights is right, and exact"


def _room(selection: Selection, need: Memory, tokens: int) -> Room:
    arch, request = selection.architecture, selection.request
    fit = estimates.verdict(need, request.hardware)
    if fit == "fits":
        return Room(need, fit)
    if fit == "no":
        return Room(need, fit, estimates.remedy(arch, request.methods, request.hardware, tokens))
    shorter = max(estimates.SHORTEST, tokens // 2 // estimates.LENGTH_STEP * estimates.LENGTH_STEP)
    cut = f"cut rows to {shorter} tokens: `--set max_tokens={shorter}`; or " if shorter < tokens else ""
    return Room(need, fit, f"{cut}close what else uses the memory")


def _shape(draft: Draft, batch: int, again: bool, wanted: int) -> estimates.Shape:
    return estimates.Shape(
        tokens=draft.values["max_tokens"],
        batch=batch,
        checkpointing=again,
        accumulation=int(draft.values.get("accumulation") or _accumulation(batch, wanted)),
        rank=int(draft.values.get("lora_rank") or estimates.LORA_RANK),
    )


def _accumulation(batch: int, wanted: int) -> int:
    return max(1, wanted // batch)
