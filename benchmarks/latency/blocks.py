"""Rows of the engine benchmarks, taken apart by model and number of threads."""

from __future__ import annotations

from typing import Any, Callable, Iterator, List, Mapping, Tuple

from benchmarks.rows import Rows, distinct, select
from benchmarks.tables import NOTHING, machine_line


def by_model_and_threads(rows: Rows) -> List[Tuple[str, int, Rows]]:
    """Returns model, threads and their rows, sorted."""
    pairs = ((model, n) for model in distinct(rows, "model") for n in distinct(rows, "threads"))
    found = ((model, n, select(rows, model=model, threads=n)) for model, n in pairs)
    return [(model, n, chosen) for model, n, chosen in found if chosen]


def render_blocks(rows: Rows, render: Callable[[Rows], str]) -> str:
    """Returns a title and a table for each model and number of threads, then the machine."""
    return "\n\n".join(_blocks(rows, render)) if rows else NOTHING


def _blocks(rows: Rows, render: Callable[[Rows], str]) -> Iterator[str]:
    for model, threads, chosen in by_model_and_threads(rows):
        yield f"{model}, {threads} thread" + "s" * (threads > 1) + ":"
        yield render(chosen)
    notes = sorted({f"{row['engine']}: {row['variant']}" for row in rows if "variant" in row})
    yield "; ".join([*notes, machine_line(rows)])


def texts_per_s(row: Mapping[str, Any]) -> float:
    """Returns the texts per second of a throughput row."""
    return float(row["n_texts"] / row["median_ms"] * 1e3)
