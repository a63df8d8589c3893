"""What this machine has for training, asked of the system: nvidia-smi, /proc, cgroups. Loads no torch."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path

import psutil

from tunekit_hub.facts import Gpu, Hardware

# Operations a core sustains through a whole LoRA training step, in 1e9 per second: about 0.6 of its peak in
# matrix products. From runs of SmolLM2-135M on two-core machines: `docs/planning.md`.
CORE_GFLOPS = {"amx_bf16": 100.0, "avx512_bf16": 75.0, "avx512f": 50.0, "avx2": 45.0, "asimd": 30.0, "": 10.0}
# The same for accelerators at half precision, by a word of their name; the last one serves unknown names.
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
MPS_GFLOPS = 4e3
SYSTEM_RESERVE = 0.1  # of the free RAM is left to everything else


def detect(cache: Path | None = None) -> Hardware:
    """The hardware of this machine.

    Args:
        cache: where models will be downloaded to; its disk is the one that counts.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    disk = shutil.disk_usage(_existing(cache or Path.home())).free
    gpus = _nvidia()
    if gpus:
        gpu = gpus[0]
        speed = next(value for word, value in GPU_GFLOPS.items() if word in gpu.name)
        return Hardware(
            name=f"{len(gpus)} × {gpu.name}" if len(gpus) > 1 else gpu.name,
            device="cuda",
            cores=cores,
            gpus=gpus,
            memory=min(g.memory for g in gpus),
            disk=disk,
            bf16=all(g.bf16 for g in gpus),
            gflops=speed,
        )
    ram = int(_free_ram() * (1 - SYSTEM_RESERVE))
    if platform.system() == "Darwin" and platform.machine() == "arm64":
        return Hardware(
            name="Apple silicon",
            device="mps",
            cores=cores,
            memory=ram,
            disk=disk,
            bf16=True,
            gflops=MPS_GFLOPS,
        )
    kind = next(kind for kind in CORE_GFLOPS if not kind or kind in _cpu_flags())
    return Hardware(
        name=f"{cores} CPU core{'s' if cores > 1 else ''}{f' with {kind}' if kind else ''}",
        device="cpu",
        cores=cores,
        memory=ram,
        disk=disk,
        bf16=kind in ("amx_bf16", "avx512_bf16"),
        gflops=cores * CORE_GFLOPS[kind],
    )


def _existing(path: Path) -> Path:
    """The nearest folder above `path` that is there."""
    while not path.exists():
        path = path.parent
    return path


def _nvidia() -> tuple[Gpu, ...]:
    """NVIDIA GPUs with their free memory; none where there is no driver."""
    query = ["nvidia-smi", "--query-gpu=name,memory.free,compute_cap", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ()
    if done.returncode:
        return ()
    rows = [line.split(", ") for line in done.stdout.strip().splitlines()]
    # bf16 units came with compute capability 8.0 (Ampere).
    return tuple(
        Gpu(name=name, memory=int(mib) << 20, bf16=float(capability) >= 8) for name, mib, capability in rows
    )


def _cpu_flags() -> set[str]:
    """The CPU's feature flags, as Linux names them; empty elsewhere."""
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists():
        return set()
    for line in cpuinfo.read_text().splitlines():
        if line.lower().startswith(("flags", "features")):
            return set(line.partition(":")[2].split())
    return set()


def _free_ram() -> int:
    """Free RAM in bytes: the system's, or what the cgroup still allows where that is less."""
    free = psutil.virtual_memory().available
    for limit, usage in (
        ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
    ):
        try:
            free = min(free, int(Path(limit).read_text()) - int(Path(usage).read_text()))
        except (OSError, ValueError):  # no such cgroup version, or the limit is "max"
            continue
    return max(free, 0)
