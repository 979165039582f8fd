"""Plots of the engine benchmarks."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Iterator, Sequence

from benchmarks.engines.registry import engines_of
from benchmarks.latency.blocks import by_model_and_threads, latest_machine, texts_per_s
from benchmarks.latency.savings import saved_by_plan
from benchmarks.plots import panels
from benchmarks.rows import Rows, distinct, medians_by, select


def draw_latency(rows: Rows, path: Path) -> None:
    """Draws median milliseconds against tokens, both logarithmic, one line for each engine."""
    rows = latest_machine(select(rows, benchmark="latency", kind="exact"))
    blocks = by_model_and_threads(rows)
    with engine_panels(path, len(blocks)) as axes:
        for axis, (model, threads, chosen) in zip(axes, blocks):
            for engine in engines_of(chosen):
                points = medians_by(select(chosen, engine=engine), "tokens")
                draw_engine(axis, list(points), list(points.values()), engine)
            axis.set(xscale="log", yscale="log", xlabel="tokens", ylabel="median ms, one text")
            axis.set_xticks(distinct(chosen, "tokens"))
            axis.set_xticklabels(map(str, distinct(chosen, "tokens")))
            axis.set_title(f"{model}, threads: {threads}", fontsize=9)
            draw_legend(axis)


def draw_throughput(rows: Rows, path: Path) -> None:
    """Draws the texts per second of each engine."""
    blocks = by_model_and_threads(latest_machine(rows))
    with engine_panels(path, len(blocks)) as axes:
        for axis, (model, threads, chosen) in zip(axes, blocks):
            speed = {row["engine"]: texts_per_s(row) for row in chosen}
            names = engines_of(chosen)[::-1]
            axis.barh(names, [speed[name] for name in names])
            axis.set(xlabel="texts/s")
            axis.tick_params(axis="y", labelsize=7)
            axis.set_title(f"{model}, threads: {threads}", fontsize=9)


def draw_shapes(rows: Rows, path: Path) -> None:
    """Draws the time saved against the quantile, one panel for each model."""
    saved = saved_by_plan(rows)
    models, longest = distinct(rows, "model"), max(distinct(rows, "tokens"))
    with engine_panels(path, len(models), width=7.0) as axes:
        for axis, model in zip(axes, models):
            settings = sorted({key[1:4] for key in saved if key[0] == model})
            for engine, threads, layers in settings:
                points = sorted(
                    (key[4], cells[longest])
                    for key, cells in saved.items()
                    if key[:4] == (model, engine, threads, layers) and longest in cells
                )
                label = f"{engine}, after {layers}, threads: {threads}"
                draw_engine(axis, [x for x, _ in points], [y for _, y in points], label)
            axis.set(xlabel="quantile", ylabel=f"time saved %, {longest} tokens", title=model)
            draw_legend(axis)


@contextlib.contextmanager
def engine_panels(path: Path, n_columns: int, *, width: float = 8.0) -> Iterator[Any]:
    """Yields a row of axes with a grid and twenty colours, and writes the picture."""
    with panels(path, n_columns, size=(width * n_columns, 4.5)) as axes:
        import matplotlib.pyplot as plt

        for axis in axes[0]:
            axis.grid(alpha=0.3, which="both")
            axis.set_prop_cycle(color=plt.get_cmap("tab20").colors)  # there are up to 20 engines
        yield axes[0]


def draw_engine(axis: Any, x: Sequence[float], y: Sequence[float], label: str) -> None:
    """Draws one engine's line; those of peers are dashed."""
    is_peer = label.startswith(("sentence-transformers", "onnxruntime", "openvino"))
    axis.plot(x, y, marker="o", ms=3, ls="--" if is_peer else "-", label=label)


def draw_legend(axis: Any) -> None:
    """Puts the legend beside a panel."""
    axis.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))
