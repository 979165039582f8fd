"""Writes from which length on pruning saves time: what `min_tokens: auto` is in the package.

python -m benchmarks.latency.break_even

The lengths are found in latency.jsonl, on one machine: what a configuration means must not depend
on which was measured last.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from benchmarks.command import module_parser, run_measuring
from benchmarks.engines.registry import MILD, OURS
from benchmarks.latency.blocks import by_machine
from benchmarks.rows import Rows, read_rows
from benchmarks.tables import ROOT

# Whose lengths the package has.
MACHINE = "AMD EPYC with AVX-512 VNNI and AVX-VNNI"
_PACKAGED = ROOT / "rasa_tokprune" / "encoder" / "plans" / "break_even.json"
# Share of the time that counts as nothing saved.
_NOISE = 0.03
# Longer than any text: the plan's minimum when pruning never paid.
NEVER = 1_000_000


def break_even_lengths(
    rows: Rows, *, plan: str = MILD, threads: int = 1
) -> Dict[str, Optional[int]]:
    """Finds the shortest measured length from which on pruning is faster.

    Args:
        rows: Raw measurements; those of the latency benchmark at exact lengths count.
        plan: The pruned engine's plan.
        threads: Threads it was measured with.

    Returns:
        "backend precision" -> tokens; None if it is slower at the longest length.
    """
    times: Dict[Tuple[str, str], Dict[int, float]] = {}
    for row in rows:
        if (row["benchmark"], row.get("kind"), row.get("threads")) != ("latency", "exact", threads):
            continue
        parts = row["engine"].split(":", 3)
        if parts[0] == OURS and len(parts) == 4:
            name = f"{parts[1]} {parts[2]}"
            times.setdefault((name, parts[3]), {})[row["tokens"]] = row["median_ms"]
    return {
        name: _first_gain(times[name, "off"], pruned)
        for (name, found), pruned in sorted(times.items())
        if found == plan and (name, "off") in times
    }


def _first_gain(unpruned: Mapping[int, float], pruned: Mapping[int, float]) -> Optional[int]:
    first: Optional[int] = None
    lengths: List[int] = sorted(set(unpruned) & set(pruned), reverse=True)
    for n_tokens in lengths:
        if pruned[n_tokens] > (1 - _NOISE) * unpruned[n_tokens]:
            break
        first = n_tokens
    return first


def write_break_even(lengths: Mapping[str, Optional[int]], path: Path) -> None:
    """Writes the lengths into the file the package reads; what was not measured stays.

    Args:
        lengths: From `break_even_lengths`.
        path: _PACKAGED, or another.
    """
    content = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    table = dict(content.get("min_tokens", {}))
    table.update({name: NEVER if n is None else n for name, n in lengths.items()})
    path.write_text(json.dumps({"min_tokens": table}) + "\n", encoding="utf-8")


def run(arguments: argparse.Namespace) -> None:
    """Writes the lengths of the mild plan on one thread."""
    rows = by_machine(read_rows(arguments.rows)).get(arguments.machine, [])
    write_break_even(break_even_lengths(rows), arguments.out)
    print(f"written: {arguments.out}")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = module_parser(__file__, __doc__)
    rows = Path(__file__).with_name("latency.jsonl")
    made.add_argument("--rows", type=Path, default=rows, help="default: latency.jsonl beside it")
    made.add_argument("--machine", default=MACHINE, help=f"as tables name it; default: {MACHINE}")
    made.add_argument("--out", type=Path, default=_PACKAGED, help="default: the package's own file")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
