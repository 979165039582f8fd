"""Tables and the plot of how costs grow, and what a million messages take."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List

from benchmarks.engines.registry import engines_of
from benchmarks.plots import draw_both
from benchmarks.rows import Rows, distinct, medians_by, select
from benchmarks.scale.exponent import fit_exponent
from benchmarks.tables import NOTHING, Plot, Table, machine_line, markdown_table
from rasa_tokprune.plots.panel import Panel

# kind -> (field on the x axis, what it is called)
_SIZES = {
    "tokens": ("tokens", "tokens"),
    "examples": ("n_examples", "training examples, 77 intents"),
    "intents": ("n_way", "intents, 10 examples each"),
}
# Engine -> words at its line, and whose colour it has.
_LINES = {
    "ours:native:int8:off": ("un-pruned", "off"),
    "ours:native:int8:drop": ("pruned hard", "hard"),
    "fit": ("fitting the\nclassifier", "other"),
    "rank": ("ranking one\nmessage", "off"),
}
_PANELS = {
    "tokens": "The encoder, one text",
    "examples": "The classifier, by examples",
    "intents": "The classifier, by intents",
}
_TIMES = {
    0.1: "0.1 ms",
    1: "1 ms",
    10: "10 ms",
    100: "0.1 s",
    1e3: "1 s",
    1e4: "10 s",
    1e5: "100 s",
}
_SHORT_TIMES = {n: f"{n:g} ms" for n in (0.5, 1, 2, 5, 10, 20)}
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
    """Draws median times against size, both logarithmic, one panel for each kind of size."""
    kinds = [kind for kind in _SIZES if select(rows, kind=kind)]

    def draw(panels: List[Panel]) -> None:
        for panel, kind in zip(panels, kinds):
            field, title = _SIZES[kind]
            chosen = select(rows, kind=kind)
            for engine, (words, thing) in _LINES.items():
                points = medians_by(select(chosen, engine=engine), field)
                if points:
                    panel.line(
                        list(points), list(points.values()), thing=thing, label=words, dash="-"
                    )
            sizes = distinct(chosen, field)
            panel.logarithmic(x=sizes, y=_SHORT_TIMES if kind == "tokens" else _TIMES)
            panel.describe(title=_PANELS[kind], x=title)

    draw_both(path, draw, height=2.2 * len(kinds) + 0.3, n_rows=len(kinds))


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
