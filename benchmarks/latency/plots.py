"""Plots of the engine benchmarks."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Tuple

from benchmarks.latency.blocks import by_model_and_threads, latest_machine, texts_per_s
from benchmarks.latency.savings import saved_by_plan
from benchmarks.names import ENGINES
from benchmarks.plots import draw_both
from benchmarks.rows import Rows, distinct, medians_by, select
from rasa_tokprune.plots.panel import Panel

# What engines take turns in: one number format of each library, and ours as it prunes more.
_RACED = (
    "sentence-transformers", "onnxruntime:int8", "openvino:int8",
    "ours:native:int8:off", "ours:native:int8:light", "ours:native:int8:freeze",
)  # fmt: skip
_SHORT = 16  # tokens; about as long as a message to a bot
# Engines of the table of shapes: what they are called, and whose colour they have.
_SHAPED = {
    "ours:native:int8": ("our C library, int8", "off"),
    "ours:onnx:fp32": ("ONNX Runtime, fp32", "onnxruntime"),
    "ours:torch:fp32": ("torch, fp32", "sentence_transformers"),
}


def draw_latency(rows: Rows, path: Path) -> None:
    """Draws median milliseconds against tokens, both logarithmic, on one core."""
    rows = latest_machine(select(rows, benchmark="latency", kind="exact"))
    model, _, chosen = by_model_and_threads(rows)[0]

    def draw(panels: List[Panel]) -> None:
        (panel,) = panels
        for engine in _RACED:
            points = medians_by(select(chosen, engine=engine), "tokens")
            if points:
                name = ENGINES[engine]
                panel.line(list(points), list(points.values()), thing=name.thing, label=name.short)
        panel.logarithmic(x=distinct(chosen, "tokens"), y=(0.5, 1, 2, 5, 10, 20, 50, 100))
        panel.describe(
            title=f"Time to encode one text, {model}, one core",
            y="median milliseconds, logarithmic",
            x="tokens of the text",
        )

    draw_both(path, draw, height=4.2)


def draw_throughput(rows: Rows, path: Path) -> None:
    """Draws the texts per second of each engine, on one core."""
    model, _, chosen = by_model_and_threads(latest_machine(rows))[0]
    speeds = {row["engine"]: texts_per_s(row) for row in chosen if row["engine"] in ENGINES}
    engines = [engine for engine in ENGINES if engine in speeds]

    def draw(panels: List[Panel]) -> None:
        (panel,) = panels
        panel.bars(
            [ENGINES[engine].short for engine in engines],
            [speeds[engine] for engine in engines],
            [f"{speeds[engine]:,.0f}" for engine in engines],
            [ENGINES[engine].thing for engine in engines],
        )
        panel.describe(title=f"Texts a second, {model}, one core", x="texts a second")

    draw_both(path, draw, height=0.42 * len(engines) + 1)


def draw_shapes(rows: Rows, path: Path) -> None:
    """Draws the time saved against the quantile, means over the models, short and long texts."""
    lengths = distinct(rows, "tokens")
    shown = [length for length in (_SHORT, lengths[-1]) if length in lengths]
    saved = _mean_saved(rows)

    def draw(panels: List[Panel]) -> None:
        for panel, length in zip(panels, shown):
            for (engine, layers), cells in saved.items():
                words, thing = _SHAPED[engine]
                after = f"after layer{'s' * (',' in layers)} {layers.replace(',', ', ')}"
                points = sorted((q, value) for (q, n), value in cells.items() if n == length)
                panel.line(
                    *zip(*points), thing=thing, dash="-" if "," in layers else "--",
                    label=f"{words},\n{after}",
                )  # fmt: skip
            panel.describe(
                title=f"Texts of {length} tokens",
                y="time saved, % of the un-pruned encoder's",
                x="share of the tokens that is dropped",
            )
            panel.axis.set_ylim(-5, 70)
            panel.axis.set_xticks(sorted({q for cells in saved.values() for q, _ in cells}))

    draw_both(path, draw, height=3.1 * len(shown), n_rows=len(shown))


def _mean_saved(rows: Rows) -> Dict[Tuple[str, str], Dict[Tuple[float, int], float]]:
    """Returns engine and layers -> quantile and tokens -> time saved %, means over models."""
    found: Dict[Tuple[str, str], Dict[Tuple[float, int], List[float]]] = {}
    for (_, engine, _, layers, quantile), cells in saved_by_plan(rows).items():
        own = found.setdefault((engine, layers), {})
        for length, value in cells.items():
            own.setdefault((quantile, length), []).append(value)
    return {
        key: {place: sum(values) / len(values) for place, values in own.items()}
        for key, own in sorted(found.items(), key=lambda item: (item[0][0], -len(item[0][1])))
    }
