"""Machines one does not sit at: those that Hugging Face rents, from `named.json`, and any GPU by its memory."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunekit_hub import hardware
from tunekit_hub.errors import PlanError, UsageError
from tunekit_hub.facts import Gpu, Hardware
from tunekit_hub.units import size

if TYPE_CHECKING:
    from tunekit_hub.records import Plan

TABLE = Path(__file__).with_name("named.json")
GB = 1_000_000_000
_GPU_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*gb", re.IGNORECASE)
_ASSUMED_CPU = "avx2"  # what every rented CPU has at least
_ASSUMED_CORES, _ENOUGH_DISK = 4, 10**15  # where the table does not say


def named(name: str) -> Hardware:
    """The machine of that name, or a CUDA GPU with `NGB` of memory.

    Raises:
        UsageError: no such machine; the hint lists them.
    """
    by_size, machines = _GPU_SIZE.fullmatch(name.strip()), table()["machines"]
    if by_size and float(by_size[1]) >= 1:
        about = {"about": f"a CUDA GPU with {by_size[1]} GB", "gpu": "", "gpu_memory": float(by_size[1])}
        return _hardware(f"{by_size[1]}GB", about)
    key = name.strip().lower()
    if key not in machines:
        raise UsageError(
            f"no machine is called `{name}`", f"name one of: {', '.join(machines)}; or a GPU by its memory: 24GB"
        )
    return _hardware(key, machines[key])


def chosen(name: str | None) -> Hardware | None:
    """The machine of that name; None, for this one, without a name."""
    return None if name is None else named(name)


def require_trainable(plan: Plan) -> None:
    """The plan fits the machine it is for, and that machine is here.

    Raises:
        PlanError: as `require_here`, or the plan says itself that it does not fit.
    """
    require_here(plan.selection.request.hardware)
    if plan.fit == "no":
        needs = f"{size(plan.memory.total)} with {size(plan.selection.request.hardware.memory)} free"
        raise PlanError(f"the plan says that it does not fit: it needs {needs}", plan.advice)


def require_here(wanted: Hardware | None) -> None:
    """This machine has what a plan for `wanted` counts on; a plan for this very machine always passes.

    Raises:
        PlanError: another device, less memory, or no bf16 units where they are counted on.
    """
    if wanted is None or wanted.asked_as is None:
        return
    here = hardware.detect()
    lacking = ""
    if here.device != wanted.device:
        lacking = f"this machine would train on {_DEVICES[here.device]}"
    elif here.memory < wanted.memory * hardware.SAFETY:
        lacking = f"this machine has {size(here.memory)} free, not {size(wanted.memory)}"
    elif wanted.bf16 and not here.bf16:
        lacking = "this machine has no bf16 units"
    if lacking:
        raise PlanError(
            f"the plan is for other hardware, `{wanted.asked_as}` ({wanted.name}): {lacking}",
            "plan again without `--hardware`, or train there",
        )


_DEVICES = {"cpu": "its CPU", "cuda": "a CUDA GPU", "mps": "Apple silicon"}


@lru_cache(maxsize=1)
def table() -> dict[str, Any]:
    """What `named.json` holds: when it was recorded, from where, and the machines."""
    return json.loads(TABLE.read_text(encoding="utf-8"))


def _hardware(name: str, row: dict[str, Any]) -> Hardware:
    cores = row.get("cores", _ASSUMED_CORES)
    disk = int(row["disk"] * GB) if "disk" in row else _ENOUGH_DISK
    common: dict[str, Any] = {
        "name": row["about"],
        "asked_as": name,
        "cores": cores,
        "disk": disk,
        "price": row.get("price"),
        "price_date": table()["recorded"] if "price" in row else None,
    }
    if "gpu" not in row:
        memory = int(row["ram"] * GB * (1 - hardware.SYSTEM_RESERVE))
        speed = cores * hardware.CORE_GFLOPS[_ASSUMED_CPU]
        return Hardware(device="cpu", memory=memory, bf16=False, gflops=speed, **common)
    # One of these has bf16 units unless the table says otherwise: all NVIDIA GPUs do since Ampere, in 2020.
    gpu = Gpu(name=row["gpu"] or row["about"], memory=int(row["gpu_memory"] * GB), bf16=row.get("bf16", True))
    return Hardware(
        device="cuda",
        gpus=(gpu,),
        memory=gpu.memory,
        ram=int(row["ram"] * GB) if "ram" in row else None,
        bf16=gpu.bf16,
        gflops=hardware.gpu_gflops(gpu.name),
        **common,
    )
