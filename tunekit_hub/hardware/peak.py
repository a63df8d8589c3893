"""How much memory this process has held at most: what the predictions of a plan are measured against."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import psutil

CUDA_CONTEXT = 0.5e9  # bytes a process takes on a GPU before its first tensor, which the allocator does not see
_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def restart() -> None:
    """Measure from now on. Where the system cannot (not Linux), the peak stays that of the whole process."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    try:
        _CLEAR.write_text("5")  # sets the high-water mark to what is resident now: man 5 proc
    except OSError:
        return


def peak_memory() -> int:
    """Bytes: on the GPU where there is one, reserved and its context; else resident, libraries and all."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        return int(torch.cuda.max_memory_reserved() + CUDA_CONTEXT)
    try:
        marks = dict(line.split(":", 1) for line in _STATUS.read_text().splitlines() if ":" in line)
        return int(marks["VmHWM"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def resident() -> int:
    """Bytes that are resident now."""
    return psutil.Process().memory_info().rss
