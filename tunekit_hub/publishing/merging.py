"""An adapter and its base as one model: whole weights that need no peft.

The base is loaded again, unquantized: merging into 4-bit weights would round what was learned. The merged model
is in the precision in which the base is stored, and has given the measured predictions again before it counts.
"""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunekit_hub import extras, model_files, quiet, storage
from tunekit_hub.dtypes import DTYPES
from tunekit_hub.errors import PublishError
from tunekit_hub.facts import Architecture
from tunekit_hub.hub import Hub
from tunekit_hub.publishing import manifest
from tunekit_hub.records import Evaluation, Plan, Reload
from tunekit_hub.scores import reload

NAME = "merged"
_NOTE = "merged.json"  # beside the weights, and not on the list of what is published
SHARD = "5GB"  # small enough that an outage costs little
_STORED = {"bfloat16": "bf16", "float16": "fp16"}  # any other: float32


@dataclass(frozen=True)
class Merged:
    """A merged model that passed the reload gate."""

    folder: Path
    reload: Reload
    allowed: float  # the largest difference that merging explains


def merged(evaluation: Evaluation, hub: Hub, say: Callable[[str], None] = lambda _: None) -> Merged:
    """The merged model of a run.

    It is written to `run_dir/merged`, whole or not at all, and used again while adapter and base are the same.

    Raises:
        PublishError: the base is quantized, so nothing can be merged into it.
        ReloadMismatch: the merged model does not give the measured predictions.
        RunError: what was measured is not there any more.
        StorageError: the disk is full.
    """
    run_dir, plan = Path(evaluation.training.run_dir), evaluation.training.plan
    folder, want = run_dir / NAME, _origin(plan, run_dir / "model")
    done = _kept(folder, want)
    if done is not None:
        return done
    extras.require("train", "merging the adapter into its base")
    job, measured = reload.kept(run_dir)
    base = base_folder(plan, hub, Path(job.model))
    stored = _stored(base)
    say(f"merging the adapter into {plan.selection.repo_id}, in {stored}")
    try:
        with storage.replacing(folder, then="publish again") as half:
            with quiet.libraries():
                _merge(base, run_dir / "model", half, stored)
            say("reload gate: the merged model in a fresh process")
            job = reload.Job(job.task, str(half), None, job.precision, job.payload)
            # In the coarser of the two precisions every weight was rounded once more.
            allowed = max(reload.TOLERANCE[job.precision], reload.TOLERANCE[stored])
            passed = reload.gate(job, measured, allowed=allowed)
            note = {"origin": want, "allowed": allowed, "reload": passed.model_dump(mode="json")}
            (half / _NOTE).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
    finally:
        shutil.rmtree(folder.with_name(f".{NAME}.half"), ignore_errors=True)
    return Merged(folder, passed, allowed)


def ready(evaluation: Evaluation) -> bool:
    """Whether the merged model is there already."""
    run_dir = Path(evaluation.training.run_dir)
    return _kept(run_dir / NAME, _origin(evaluation.training.plan, run_dir / "model")) is not None


def predicted(architecture: Architecture, precision: str) -> int:
    """Bytes of the whole weights, in a precision."""
    return architecture.parameters * (4 if precision == "fp32" else 2)


def _origin(plan: Plan, adapter: Path) -> dict[str, Any]:
    """What the merged model follows from."""
    weights = manifest.fingerprint(adapter) if adapter.is_dir() else {}
    return {"base": plan.selection.repo_id, "revision": plan.selection.revision, "adapter": weights}


def _kept(folder: Path, want: dict[str, Any]) -> Merged | None:
    """An earlier merge, if it is of the same and its weights are still those that were gated."""
    try:
        note = json.loads((folder / _NOTE).read_text(encoding="utf-8"))
        found = Merged(folder, Reload.model_validate(note["reload"]), float(note["allowed"]))
        same = note["origin"] == want and manifest.fingerprint(folder) == found.reload.weights
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return found if same else None


def base_folder(plan: Plan, hub: Hub, seen: Path) -> Path:
    """The base's folder: where the evaluation found it, or fetched again."""
    if seen.name == plan.selection.revision and model_files.complete(seen):
        return seen
    return hub.fetch(plan.selection.repo_id, plan.selection.revision)


def _stored(base: Path) -> str:
    """The precision in which a base is stored.

    Raises:
        PublishError: it is quantized.
    """
    config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    if config.get("quantization_config"):
        raise PublishError(
            "the base model is quantized, so merging would round what was learned",
            "publish with `--weights adapter`",
        )
    return _STORED.get(config.get("dtype") or config.get("torch_dtype") or "", "fp32")


def _merge(base: Path, adapter: Path, out: Path, stored: str) -> None:
    """Write the merged model to `out`, with the tokenizer that was saved beside the adapter."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, GenerationConfig

    # fp16 has too few digits to add in; bf16 is added to as the adapter was trained on it.
    held = "bf16" if stored == "bf16" else "fp32"
    whole: Any = AutoModelForCausalLM.from_pretrained(base, dtype=getattr(torch, DTYPES[held]))
    whole = PeftModel.from_pretrained(whole, str(adapter)).merge_and_unload(safe_merge=True)
    whole = whole.to(getattr(torch, DTYPES[stored]))
    own = base / "generation_config.json"
    if own.exists():  # taken over as it is: some that models were published with, the library would not write
        whole.generation_config = GenerationConfig()
    whole.save_pretrained(out, max_shard_size=SHARD)
    if own.exists():
        shutil.copyfile(own, out / own.name)
    for path in adapter.iterdir():
        if path.name in manifest.ALLOWED and path.name in model_files.beside([path.name]):
            shutil.copyfile(path, out / path.name)
    del whole
    gc.collect()
