"""Memory and threads of a server's processes, as Linux says."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any, Dict, List

from benchmarks.reliability.serving.running import group_of

_FIELDS = {"Rss": "rss_mb", "Pss": "pss_mb", "Anonymous": "anonymous_mb"}
# Files that hold weights: the encoder's own, and what is made of them in the cache.
_WEIGHTS = re.compile(r"\.(?:safetensors|onnx)$")


def processes(pid: int) -> List[int]:
    """Returns the processes of a server that hold Rasa: its first one and those below."""
    return [each for each in group_of(pid) if _of_file(each, "smaps_rollup")]


def memory(pid: int) -> Dict[str, Any]:
    """Returns megabytes of all processes of a server, and what weights take of them.

    Returns:
        n_processes, threads (of all), rss_mb, pss_mb and anonymous_mb, one of each process, the
        first process first; weights_rss_mb and weights_pss_mb of those that map weights.
    """
    found: Dict[str, Any] = {name: [] for name in _FIELDS.values()}
    weights: List[Dict[str, float]] = []
    threads = []
    for each in processes(pid):
        rollup = _of_file(each, "smaps_rollup")
        for field, name in _FIELDS.items():
            found[name].append(_kilobytes(rollup, field) / 1024)
        threads.append(_threads(each))
        mapped = _weights(each)
        if mapped["Rss"]:
            weights.append(mapped)
    found.update(n_processes=len(threads), threads=threads)
    found["weights_rss_mb"] = [each["Rss"] / 1024 for each in weights]
    found["weights_pss_mb"] = [each["Pss"] / 1024 for each in weights]
    return found


def total_pss(pid: int) -> float:
    """Returns the megabytes that a server takes of the machine: PSS of all its processes."""
    return sum(_kilobytes(_of_file(each, "smaps_rollup"), "Pss") / 1024 for each in processes(pid))


def total_anonymous(pid: int) -> float:
    """Returns the megabytes that a server holds and that no file is behind.

    What other programs do with the same libraries changes PSS, but not this.
    """
    rollups = [_of_file(each, "smaps_rollup") for each in processes(pid)]
    return sum(_kilobytes(rollup, "Anonymous") / 1024 for rollup in rollups)


def _weights(pid: int) -> Dict[str, float]:
    """Returns kB of mapped files of weights."""
    sums = {"Rss": 0.0, "Pss": 0.0}
    for block in re.split(r"(?m)^(?=[0-9a-f]+-[0-9a-f]+ )", _of_file(pid, "smaps")):
        head, _, rest = block.partition("\n")
        if _WEIGHTS.search(head):
            for field in sums:
                sums[field] += _kilobytes(rest, field)
    return sums


def _threads(pid: int) -> int:
    match = re.search(r"^Threads:\s+(\d+)", _of_file(pid, "status"), re.MULTILINE)
    return int(match[1]) if match else 0


def _kilobytes(text: str, field: str) -> float:
    match = re.search(rf"^{field}:\s+(\d+) kB", text, re.MULTILINE)
    return float(match[1]) if match else 0.0


def _of_file(pid: int, name: str) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{name}").read_text(encoding="utf-8", errors="replace")
    return ""
