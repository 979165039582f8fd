"""Tables of what pruning saves: by engine, by quantile, and from which length on."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Optional, Tuple

from benchmarks.engines.registry import MILD, OURS, engines_of
from benchmarks.latency.blocks import by_machine, render_blocks
from benchmarks.latency.break_even import break_even_lengths
from benchmarks.rows import Rows, distinct, select
from benchmarks.tables import NOTHING, machine_line, markdown_table

# Model, engine, threads, layers, quantile.
ShapeKey = Tuple[str, str, int, str, float]


def pruning_table(rows: Rows) -> str:
    """Returns, for each pruned engine, the time saved against the same engine un-pruned."""
    return render_blocks(select(rows, benchmark="latency", kind="exact"), _pruning_lines)


def _pruning_lines(rows: Rows) -> str:
    columns = distinct(rows, "tokens")
    cells = {(row["engine"], row["tokens"]): row for row in rows}
    lines = []
    for engine in engines_of(rows):
        if not engine.startswith(OURS) or engine.endswith(":off"):
            continue
        unpruned = ":".join([*engine.split(":", 3)[:3], "off"])
        line = [engine]
        for column in columns:
            row, other = cells.get((engine, column)), cells.get((unpruned, column))
            line.append("" if row is None or other is None else _saved_cell(row, other))
        lines.append(line)
    if not lines:
        return NOTHING
    head = ["time saved % (cost)", *(f"{column} tokens" for column in columns)]
    return markdown_table(head, lines)


def _saved_cell(row: Mapping[str, Any], unpruned: Mapping[str, Any]) -> str:
    cost = f" ({row['cost']:.2f})" if "cost" in row else ""
    return f"{time_saved(row, unpruned):.0f}{cost}"


def time_saved(row: Mapping[str, Any], unpruned: Mapping[str, Any]) -> float:
    """Returns the share of the un-pruned median that is saved, in percent."""
    return float(100 * (1 - row["median_ms"] / unpruned["median_ms"]))


def break_even_table(rows: Rows) -> str:
    """Returns, for each machine, backend and precision, from which length pruning saves time."""
    lines = [line for machine, own in by_machine(rows).items() for line in _lengths(machine, own)]
    head = ["machine", "backend, precision", "plan", "1 thread", "2 threads"]
    return markdown_table(head, lines, n_left=3) if lines else NOTHING


def _lengths(machine: str, rows: Rows) -> List[List[str]]:
    lines = []
    for plan in (MILD, "freeze", "drop"):
        found = [break_even_lengths(rows, plan=plan, threads=threads) for threads in (1, 2)]
        for name in sorted({name for lengths in found for name in lengths}):
            lines.append([machine, name, plan, *(_length(lengths, name) for lengths in found)])
    return lines


def _length(lengths: Mapping[str, Optional[int]], name: str) -> str:
    if name not in lengths:
        return ""
    return "never" if lengths[name] is None else f"{lengths[name]} tokens"


def shapes_table(rows: Rows) -> str:
    """Returns the time saved in percent by model, engine, quantile and length."""
    if not rows:
        return NOTHING
    columns = distinct(rows, "tokens")
    lines: List[List[str]] = []
    for key, cells in sorted(saved_by_plan(rows).items()):
        model, engine, threads, layers, quantile = key
        values = (f"{cells[c]:.0f}" if c in cells else "" for c in columns)
        lines.append([model, engine, str(threads), layers, str(quantile), *values])
    head = ["time saved %", "engine", "threads", "after layers", "quantile"]
    head += [f"{column} tokens" for column in columns]
    return f"{markdown_table(head, lines)}\n\n{machine_line(rows)}"


def saved_by_plan(rows: Rows) -> Dict[ShapeKey, Dict[int, float]]:
    """Returns for each plan of a model and engine: tokens -> time saved in percent."""
    unpruned = {_unpruned_key(row): row for row in rows if row["engine"].endswith(":off")}
    saved: Dict[ShapeKey, Dict[int, float]] = {}
    for row in rows:
        engine, plan = row["engine"].rsplit(":", 1)
        if plan == "off" or _unpruned_key(row) not in unpruned:
            continue
        _, quantile, layers = plan.split("-")
        key = (row["model"], engine, row["threads"], layers, float(quantile))
        saved.setdefault(key, {})[row["tokens"]] = time_saved(row, unpruned[_unpruned_key(row)])
    return saved


def _unpruned_key(row: Mapping[str, Any]) -> Tuple[Any, ...]:
    return row["model"], row["engine"].rsplit(":", 1)[0], row["threads"], row["tokens"]
