"""Tables and the plot of how costs grow, and what a million messages take."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List

from benchmarks.engines.registry import engines_of
from benchmarks.latency.plots import draw_engine, draw_legend, engine_panels
from benchmarks.rows import Rows, distinct, medians_by, select
from benchmarks.scale.exponent import fit_exponent
from benchmarks.tables import NOTHING, Plot, Table, machine_line, markdown_table

# kind -> (field on the x axis, what it is called)
_SIZES = {
    "tokens": ("tokens", "tokens"),
    "examples": ("n_examples", "training examples, 77 intents"),
    "intents": ("n_way", "intents, 10 examples each"),
}
_MILLION, _CORES = 1_000_000, (1, 16, 64)


def growth_table(rows: Rows) -> str:
    """Returns medians against size with fitted exponents, one table for each kind of size."""
    if not rows:
        return NOTHING
    parts = [
        _growth_lines(select(rows, kind=kind), field, title)
        for kind, (field, title) in _SIZES.items()
        if select(rows, kind=kind)
    ]
    return "\n\n".join([*parts, machine_line(rows)])


def _growth_lines(rows: Rows, field: str, title: str) -> str:
    columns = distinct(rows, field)
    lines = []
    for engine in engines_of(rows):
        for threads in distinct(select(rows, engine=engine), "threads"):
            points = medians_by(select(rows, engine=engine, threads=threads), field)
            cells = (f"{points[c]:.3g}" if c in points else "" for c in columns)
            lines.append([engine, str(threads), *cells, *_exponents(points)])
    head = [f"ms by {title}", "threads", *(f"{column:,}" for column in columns)]
    return markdown_table([*head, "exponent", "at the large end"], lines)


def _exponents(points: Dict[int, float]) -> List[str]:
    """Returns the exponent over all sizes and over the two largest."""
    if len(points) < 2:
        return ["", ""]
    sizes, costs = list(points), list(points.values())
    return [f"{fit_exponent(sizes[k:], costs[k:]):.2f}" for k in (0, -2)]


def draw_growth(rows: Rows, path: Path) -> None:
    """Draws median milliseconds against size, both logarithmic, one panel for each kind of size."""
    kinds = [kind for kind in _SIZES if select(rows, kind=kind)]
    with engine_panels(path, len(kinds), width=7.0) as axes:
        for axis, kind in zip(axes, kinds):
            field, title = _SIZES[kind]
            chosen = select(rows, kind=kind)
            for engine in engines_of(chosen):
                for threads in distinct(select(chosen, engine=engine), "threads"):
                    points = medians_by(select(chosen, engine=engine, threads=threads), field)
                    label = f"{engine}, threads: {threads}"
                    draw_engine(axis, list(points), list(points.values()), label)
            axis.set(xscale="log", yscale="log", xlabel=title, ylabel="median ms")
            draw_legend(axis)


def log_table(rows: Rows) -> str:
    """Returns rates, and minutes for a million messages if nothing but the jobs took time."""
    lines = []
    for row in rows:
        rate = row["messages"] / row["answer_s"]
        minutes = [(_MILLION / rate / cores + row["fit_s"]) / 60 for cores in _CORES]
        cells = [f"{rate:.0f}", f"{row['fit_s']:.1f}", *(f"{each:.1f}" for each in minutes)]
        lines.append([f"`{row['plan']}`", *cells])
    head = ["plan", "messages/s on one core", "fit s"]
    head += [f"a million on {cores} core{'s' * (cores > 1)}, min" for cores in _CORES]
    return markdown_table(head, lines)


TABLES = (
    Table("bench_scaling", "docs/benchmarks.md", ("growth.jsonl",), growth_table),
    Table("scale", "docs/scale.md", ("log.jsonl",), log_table),
)
PLOTS = (Plot("docs/bench_scaling.png", ("growth.jsonl",), draw_growth),)
