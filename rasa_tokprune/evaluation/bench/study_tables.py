"""Markdown tables of the paper's table, of scaling and of whole Rasa."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence, Tuple

from rasa_tokprune.evaluation.bench.exponent import fit_exponent
from rasa_tokprune.evaluation.bench.rasa_pipelines import FLOOR, PIPELINES, TITLES
from rasa_tokprune.evaluation.bench.rows import Row
from rasa_tokprune.evaluation.bench.tables import (
    NOTHING,
    distinct,
    engines_of,
    grid,
    machine_line,
    select,
    time_saved,
)


def shapes_table(rows: Sequence[Row]) -> str:
    """Returns the time saved in percent by model, engine, quantile and length."""
    rows = select(rows, benchmark="shapes")
    if not rows:
        return NOTHING
    columns = distinct(rows, "tokens")
    head = ["time saved %", "engine", "threads", "after layers", "quantile"]
    head += [f"{column} tokens" for column in columns]
    lines = []
    for key, cells in sorted(saved_by_plan(rows).items()):
        model, engine, threads, layers, quantile = key
        values = (f"{cells[c]:.0f}" if c in cells else "" for c in columns)
        lines.append([model, engine, str(threads), layers, str(quantile), *values])
    return f"{grid(head, lines)}\n\n{machine_line(rows)}"


ShapeKey = Tuple[str, str, int, str, float]


def saved_by_plan(rows: Sequence[Row]) -> Dict[ShapeKey, Dict[int, float]]:
    """Returns (model, engine, threads, layers, quantile) -> tokens -> time saved in percent."""
    unpruned = {_shape_key(row): row for row in rows if row["engine"].endswith(":off")}
    saved: Dict[ShapeKey, Dict[int, float]] = {}
    for row in rows:
        engine, plan = row["engine"].rsplit(":", 1)
        if plan == "off" or _shape_key(row) not in unpruned:
            continue
        _, quantile, layers = plan.split("-")
        key = (row["model"], engine, row["threads"], layers, float(quantile))
        saved.setdefault(key, {})[row["tokens"]] = time_saved(row, unpruned[_shape_key(row)])
    return saved


def _shape_key(row: Row) -> Tuple[Any, ...]:
    return row["model"], row["engine"].rsplit(":", 1)[0], row["threads"], row["tokens"]


# kind -> (field on the x axis, what it is called)
SCALINGS = {
    "tokens": ("tokens", "tokens"),
    "examples": ("n_examples", "training examples, 77 intents"),
    "intents": ("n_way", "intents, 10 examples each"),
}


def scaling_table(rows: Sequence[Row]) -> str:
    """Returns medians against size with fitted exponents, one table for each kind of size."""
    rows = select(rows, benchmark="scaling")
    parts = []
    for kind, (field, title) in SCALINGS.items():
        chosen = select(rows, kind=kind)
        if chosen:
            parts.append(_scaling_lines(chosen, field, title))
    return "\n\n".join([*parts, machine_line(rows)]) if parts else NOTHING


def _scaling_lines(rows: Sequence[Row], field: str, title: str) -> str:
    columns = distinct(rows, field)
    head = [f"ms by {title}", "threads", *(f"{column:,}" for column in columns)]
    lines = []
    for engine in engines_of(rows):
        for threads in distinct(select(rows, engine=engine), "threads"):
            points = scaling_curve(select(rows, engine=engine, threads=threads), field)
            cells = (f"{points[c]:.3g}" if c in points else "" for c in columns)
            lines.append([engine, str(threads), *cells, *exponents(points)])
    return grid([*head, "exponent", "at the large end"], lines)


def scaling_curve(rows: Sequence[Row], field: str) -> Dict[int, float]:
    """Returns size -> median milliseconds, ascending."""
    return {row[field]: row["median_ms"] for row in sorted(rows, key=lambda row: row[field])}


def exponents(points: Dict[int, float]) -> List[str]:
    """Returns the exponent over all sizes and over the two largest."""
    if len(points) < 2:
        return ["", ""]
    sizes, costs = list(points), list(points.values())
    return [f"{fit_exponent(sizes[k:], costs[k:]):.2f}" for k in (0, -2)]


def rasa_table(rows: Sequence[Row]) -> str:
    """Returns training, model size, memory and answer times of whole Rasa."""
    rows = select(rows, benchmark="rasa")
    if not rows:
        return NOTHING
    order = {name: number for number, name in enumerate(PIPELINES)}
    head = ["pipeline", "accuracy %", "train s", "train peak MB", "model MB", "server RSS MB",
            "more than Rasa alone MB", "parse p50 / p95 ms", "8 clients: p50 / p95 ms",
            "requests/s"]  # fmt: skip
    parts = []
    for task in distinct(rows, "task"):
        for threads in distinct(select(rows, task=task), "threads"):
            chosen = select(rows, task=task, threads=threads)
            floor = select(chosen, pipeline=FLOOR)
            lines = [
                _rasa_line(row, floor[0] if floor else None)
                for row in sorted(chosen, key=lambda row: order[row["pipeline"]])
            ]
            plural = "s" * (threads > 1)
            parts += [f"{task}, server on {threads} core{plural}:", grid(head, lines)]
    return "\n\n".join([*parts, machine_line(rows)])


def _rasa_line(row: Row, floor: Any) -> List[str]:
    one, eight = row["clients_1"], row["clients_8"]
    settings = ", ".join(f"{key}: {value}" for key, value in row["settings"].items())
    added = "" if floor is None else f"{row['rss_mb'] - floor['rss_mb']:.0f}"
    return [
        TITLES[row["pipeline"]] + (f" ({settings})" if settings else ""),
        "" if row["accuracy"] is None else f"{100 * row['accuracy']:.1f}",
        f"{row['train_s']:.0f}",
        f"{row['train_peak_mb']:.0f}",
        f"{row['model_mb']:.1f}",
        f"{row['rss_mb']:.0f}",
        added,
        f"{one['p50_ms']:.1f} / {one['p95_ms']:.1f}",
        f"{eight['p50_ms']:.1f} / {eight['p95_ms']:.1f}",
        f"{eight['requests_per_s']:.0f}",
    ]
