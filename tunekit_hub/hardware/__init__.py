"""What this machine has for training, asked of the system: nvidia-smi, /proc, cgroups. Loads no torch."""

from __future__ import annotations

import math
import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import psutil

from tunekit_hub.facts import Gpu, Hardware
from tunekit_hub.hardware import cgroups

# Operations a core sustains through a whole LoRA training step, in 1e9 per second: about 0.6 of its peak in
# matrix products. From runs of SmolLM2-135M on two-core machines: `docs/planning.md`.
CORE_GFLOPS = {"amx_bf16": 100.0, "avx512_bf16": 75.0, "avx512f": 50.0, "avx2": 45.0, "asimd": 30.0, "": 10.0}
# The same for accelerators at half precision, by a word of their name; the last one serves unknown names. A third
# to two fifths of what their makers state for dense matrix products; not measured here.
GPU_GFLOPS = {
    "H200": 300e3,
    "H100": 300e3,
    "A100": 130e3,
    "L40S": 120e3,
    "RTX PRO 6000": 150e3,
    "RTX 4090": 90e3,
    "A10G": 40e3,
    "L4": 40e3,
    "T4": 20e3,
    "": 20e3,
}
MPS_GFLOPS, MPS_SHARE = 4e3, 0.7  # Metal lets one process have about that share of the memory
SYSTEM_RESERVE = 0.1  # of the free RAM is left to everything else
SAFETY = 0.92  # of the memory that is free may be planned with
BF16_SINCE = 8.0  # compute capability: Ampere
QUERY = ("name", "memory.free", "compute_cap", "index", "uuid")
CPUINFO = Path("/proc/cpuinfo")


def detect(cache: Path | None = None) -> Hardware:
    """The hardware of this machine.

    Args:
        cache: where models will be downloaded to; its disk is the one that counts.
    """
    cores = cpu_cores()
    disk = shutil.disk_usage(_existing(cache or Path.home())).free
    ram = int(_free_ram() * (1 - SYSTEM_RESERVE))
    gpus = _nvidia()
    if gpus and _torch_drives_gpus():
        return Hardware(
            name=f"{len(gpus)} × {gpus[0].name}" if len(gpus) > 1 else gpus[0].name,
            device="cuda",
            cores=cores,
            gpus=gpus,
            memory=min(g.memory for g in gpus),
            ram=ram,
            disk=disk,
            bf16=all(g.bf16 for g in gpus),
            gflops=gpu_gflops(gpus[0].name),
        )
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        memory = min(ram, int(psutil.virtual_memory().total * MPS_SHARE))
        return Hardware(
            name="Apple silicon",
            device="mps",
            cores=cores,
            memory=memory,
            disk=disk,
            bf16=True,
            gflops=MPS_GFLOPS,
        )
    kind = next(kind for kind in CORE_GFLOPS if not kind or kind in _cpu_flags())
    idle = "; a GPU lies idle, because torch is a build for CPUs" if gpus else ""
    return Hardware(
        name=f"{cores} CPU core{'s' if cores > 1 else ''}{f' with {kind}' if kind else ''}{idle}",
        device="cpu",
        cores=cores,
        memory=ram,
        disk=disk,
        bf16=kind in ("amx_bf16", "avx512_bf16"),
        gflops=cores * CORE_GFLOPS[kind],
    )


def gpu_gflops(name: str) -> float:
    """Operations per second, in 1e9, that a GPU of this name sustains in training at half precision."""
    return next(value for word, value in GPU_GFLOPS.items() if word in name)


def cpu_cores() -> int:
    """Cores this process may use: its affinity, or the cgroup's quota where that is less."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = cgroups.cpu_quota()
    return cores if quota is None else max(1, min(cores, math.ceil(quota)))


def _existing(path: Path) -> Path:
    """The nearest folder above `path` that is there."""
    while not path.exists():
        path = path.parent
    return path


def _nvidia() -> tuple[Gpu, ...]:
    """NVIDIA GPUs that this process may use, with their free memory; none where there is no driver."""
    query = ["nvidia-smi", f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return parse_gpus(done.stdout, os.environ.get("CUDA_VISIBLE_DEVICES")) if done.returncode == 0 else ()


def parse_gpus(listed: str, visible: str | None = None) -> tuple[Gpu, ...]:
    """GPUs from nvidia-smi's lines of `QUERY`, in the order of `CUDA_VISIBLE_DEVICES` if it is set.

    A line that does not say how much memory is free, as for a GPU split by MIG, is left out.
    """
    found: dict[str, Gpu] = {}
    for line in listed.strip().splitlines():
        name, free, capability, index, uuid = (part.strip() for part in line.rsplit(",", len(QUERY) - 1))
        if not free.isdigit():
            continue
        bf16 = _number(capability) >= BF16_SINCE
        found[index] = found[uuid] = Gpu(name=name, memory=int(free) << 20, bf16=bf16)
    if visible is None:
        return tuple(gpu for key, gpu in found.items() if key.isdigit())
    chosen = []
    for word in (part.strip() for part in visible.split(",")):
        match = [gpu for key, gpu in found.items() if word and (key == word or key.startswith(word + "-"))]
        match = match or [gpu for key, gpu in found.items() if word.startswith("GPU-") and key.startswith(word)]
        if not match:  # CUDA, too, stops at the first one it does not know
            break
        chosen.append(match[0])
    return tuple(chosen)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _torch_drives_gpus() -> bool:
    """Whether the installed torch can use a GPU: its CPU builds are named so. Without torch: yes."""
    try:
        return not metadata.version("torch").endswith("+cpu")
    except metadata.PackageNotFoundError:
        return True


def _cpu_flags() -> set[str]:
    """The CPU's feature flags, as Linux names them; empty elsewhere."""
    if not CPUINFO.exists():
        return set()
    for line in CPUINFO.read_text().splitlines():
        if line.lower().startswith(("flags", "features")):
            return set(line.partition(":")[2].split())
    return set()


def _free_ram() -> int:
    """Free RAM in bytes: the system's, or what the cgroup still allows where that is less."""
    free, allowed = psutil.virtual_memory().available, cgroups.free_memory()
    return max(0, free if allowed is None else min(free, allowed))
