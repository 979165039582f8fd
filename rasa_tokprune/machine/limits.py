"""What a container may use of the machine: processor time and memory, as Linux's cgroups say."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, Optional

CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")
_STATUS = Path("/proc/self/status")
_GROUPS = Path("/proc/self/cgroup")
# Version 1 writes a number near 2^63 where there is no limit.
_NO_LIMIT = 1 << 60


def cpu_quota(root: Path = CGROUP) -> Optional[float]:
    """Returns how many cores' worth of time this container gets; None without a limit.

    Args:
        root: Where the groups are mounted.
    """
    return min(_quotas(root), default=None)


def _quotas(root: Path) -> Iterator[float]:
    """Yields the quotas of the container and of this process' own group in it."""
    groups = [line.split(":", 2) for line in _words(_GROUPS) if line.count(":") >= 2]
    by_name = {name: path.strip("/") for _, names, path in groups for name in names.split(",")}
    for folder in dict.fromkeys((root, root / by_name.get("", ""))):
        second = _words(folder / "cpu.max")
        if len(second) == 2 and second[0] != "max":
            yield int(second[0]) / int(second[1])
    first = root / "cpu"
    for folder in dict.fromkeys((first, first / by_name.get("cpu", ""))):
        quota, period = (_number(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
        if quota is not None and period and quota > 0:
            yield quota / period


def memory_limit(root: Path = CGROUP) -> Optional[int]:
    """Returns how many bytes this container gets; None without a limit. See `cpu_quota`."""
    for path in (root / "memory.max", root / "memory" / "memory.limit_in_bytes"):
        limit = _number(path)
        if limit is not None:
            return None if limit >= _NO_LIMIT else limit
    return None


def available_memory() -> Optional[int]:
    """Returns the bytes that programs could still take; None where the system does not say."""
    return _kilobytes(_MEMINFO, "MemAvailable")


def own_memory() -> Optional[int]:
    """Returns the bytes that this process holds in memory; None where the system does not say."""
    return _kilobytes(_STATUS, "VmRSS")


def _kilobytes(path: Path, name: str) -> Optional[int]:
    words = _words(path)
    key = f"{name}:"
    return int(words[words.index(key) + 1]) * 1024 if key in words else None


def _number(path: Path) -> Optional[int]:
    words = _words(path)
    is_number = len(words) == 1 and words[0].lstrip("-").isdigit()
    return int(words[0]) if is_number else None


def _words(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return []
