"""What the cgroups of this process allow it, in containers and under systemd; version 2 and version 1."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT, OWN = Path("/sys/fs/cgroup"), Path("/proc/self/cgroup")
UNLIMITED = 1 << 60  # version 1 writes a number of about 2**63 where there is no limit


def cpu_quota() -> float | None:
    """CPU cores' worth of time that the tightest group allows; None without a limit."""
    found = []
    for folder in _folders("cpu"):
        quota, period = _words(folder / "cpu.max")[:2] or (None, None)
        if quota is None:
            quota = next(iter(_words(folder / "cpu.cfs_quota_us")), None)
            period = next(iter(_words(folder / "cpu.cfs_period_us")), None)
        if quota and period and quota.isdigit() and period.isdigit() and int(period):
            found.append(int(quota) / int(period))
    return min(found, default=None)


def free_memory() -> int | None:
    """Bytes that the tightest group leaves, counting what the kernel would give back; None without a limit."""
    found = []
    names = (("memory.max", "memory.current"), ("memory.limit_in_bytes", "memory.usage_in_bytes"))
    for folder in _folders("memory"):
        for limit_file, usage_file in names:
            limit = next(iter(_words(folder / limit_file)), "")
            usage = next(iter(_words(folder / usage_file)), "")
            if limit.isdigit() and usage.isdigit() and int(limit) < UNLIMITED:
                found.append(max(0, int(limit) - int(usage) + _reclaimable(folder)))
    return min(found, default=None)


def _reclaimable(folder: Path) -> int:
    """File pages nobody has used for a while: counted as used, and given back on demand."""
    words = _words(folder / "memory.stat")
    stat = dict(zip(words[::2], words[1::2], strict=False))
    value = stat.get("total_inactive_file", stat.get("inactive_file", "0"))
    return int(value) if value.isdigit() else 0


def _folders(controller: str) -> Iterator[Path]:
    """The folders of this process's group and of all groups around it, for one controller."""
    for line in _lines(OWN):
        _, controllers, path = [*line.split(":", 2), "", ""][:3]
        if controllers and controller not in controllers.split(","):
            continue
        base = ROOT / controller if controllers else ROOT
        own = base / path.lstrip("/")
        # In a container the path is often that of the host; then only the root of what is mounted is there.
        while own != base and base in own.parents:
            yield own
            own = own.parent
        yield base


def _words(path: Path) -> list[str]:
    return [word for line in _lines(path) for word in line.split()]


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
