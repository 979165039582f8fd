"""Rows of the engine benchmarks, taken apart by machine, model and number of threads."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterator, List, Mapping, Tuple

from benchmarks.rows import Rows, distinct, machine_of, select
from benchmarks.tables import NOTHING, machine_line


def by_machine(rows: Rows) -> Dict[str, Rows]:
    """Returns the rows of each machine, those measured last first."""
    found: Dict[str, List[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(machine_of(row), []).append(row)
    return dict(sorted(found.items(), key=lambda item: _last_day(item[1]), reverse=True))


def latest_machine(rows: Rows) -> Rows:
    """Returns the rows of the machine that was measured last."""
    return next(iter(by_machine(rows).values()), [])


def _last_day(rows: Rows) -> str:
    return max(row["environment"]["date"] for row in rows)


def by_model_and_threads(rows: Rows) -> List[Tuple[str, int, Rows]]:
    """Returns model, threads and their rows, sorted."""
    pairs = ((model, n) for model in distinct(rows, "model") for n in distinct(rows, "threads"))
    found = ((model, n, select(rows, model=model, threads=n)) for model, n in pairs)
    return [(model, n, chosen) for model, n, chosen in found if chosen]


def render_blocks(rows: Rows, render: Callable[[Rows], str]) -> str:
    """Returns a title and a table for each machine, model and number of threads."""
    return "\n\n".join(_blocks(rows, render)) if rows else NOTHING


def _blocks(rows: Rows, render: Callable[[Rows], str]) -> Iterator[str]:
    for machine, of_machine in by_machine(rows).items():
        for model, threads, chosen in by_model_and_threads(of_machine):
            yield f"{machine}; {model}, {threads} thread" + "s" * (threads > 1) + ":"
            yield render(chosen)
        variants = {f"{row['engine']}: {row['variant']}" for row in of_machine if "variant" in row}
        yield "; ".join([*sorted(variants), machine_line(of_machine)])


def texts_per_s(row: Mapping[str, Any]) -> float:
    """Returns the texts per second of a throughput row."""
    return float(row["n_texts"] / row["median_ms"] * 1e3)
