"""Plots of the benchmarks; they read raw rows and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Sequence

from rasa_tokprune.evaluation.bench.rows import Row
from rasa_tokprune.evaluation.bench.study_tables import SCALINGS, saved_by_plan, scaling_curve
from rasa_tokprune.evaluation.bench.tables import distinct, engines_of, select, texts_per_s


def draw_plots(rows: Sequence[Row], folder: Path) -> List[Path]:
    """Draws every plot there are rows for, and returns their paths."""
    import matplotlib

    matplotlib.use("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    for name, draw in (
        ("latency", _draw_latency),
        ("throughput", _draw_throughput),
        ("shapes", _draw_shapes),
        ("scaling", _draw_scaling),
    ):
        chosen = select(rows, benchmark=name)
        if chosen:
            path = folder / f"bench_{name}.png"
            draw(chosen, path)
            drawn.append(path)
    return drawn


def _axes(n_panels: int, width: float = 8.0) -> Any:
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, n_panels, figsize=(width * n_panels, 4.5), squeeze=False)
    for axis in axes[0]:
        axis.grid(alpha=0.3, which="both")
        axis.set_prop_cycle(color=plt.get_cmap("tab20").colors)  # there are up to 20 engines
    return figure, axes[0]


def _save(figure: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _curve(axis: Any, x: Sequence[float], y: Sequence[float], label: str) -> None:
    is_peer = label.startswith(("sentence-transformers", "onnxruntime", "openvino"))
    axis.plot(x, y, marker="o", ms=3, ls="--" if is_peer else "-", label=label)


def _legend(axis: Any) -> None:
    axis.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _panels(rows: Sequence[Row]) -> List[Any]:
    pairs = sorted({(row["model"], row["threads"]) for row in rows})
    return [(pair, select(rows, model=pair[0], threads=pair[1])) for pair in pairs]


def _draw_latency(rows: Sequence[Row], path: Path) -> None:
    """Median milliseconds against tokens, both logarithmic, one line for each engine."""
    panels = _panels(select(rows, kind="exact"))
    figure, axes = _axes(len(panels))
    for axis, ((model, threads), chosen) in zip(axes, panels):
        for engine in engines_of(chosen):
            points = scaling_curve(select(chosen, engine=engine), "tokens")
            _curve(axis, list(points), list(points.values()), engine)
        axis.set(xscale="log", yscale="log", xlabel="tokens", ylabel="median ms, one text")
        axis.set_xticks(distinct(chosen, "tokens"))
        axis.set_xticklabels(map(str, distinct(chosen, "tokens")))
        axis.set_title(f"{model}, threads: {threads}", fontsize=9)
        _legend(axis)
    _save(figure, path)


def _draw_throughput(rows: Sequence[Row], path: Path) -> None:
    panels = _panels(rows)
    figure, axes = _axes(len(panels))
    for axis, ((model, threads), chosen) in zip(axes, panels):
        speed = {row["engine"]: texts_per_s(row) for row in chosen}
        names = engines_of(chosen)[::-1]
        axis.barh(names, [speed[name] for name in names])
        axis.set(xlabel="texts/s")
        axis.tick_params(axis="y", labelsize=7)
        axis.set_title(f"{model}, threads: {threads}", fontsize=9)
    _save(figure, path)


def _draw_shapes(rows: Sequence[Row], path: Path) -> None:
    """Time saved against the quantile, one panel for each model, one line for each setting."""
    saved = saved_by_plan(rows)
    models, longest = distinct(rows, "model"), max(distinct(rows, "tokens"))
    figure, axes = _axes(len(models), width=7.0)
    for axis, model in zip(axes, models):
        settings = sorted({key[1:4] for key in saved if key[0] == model})
        for engine, threads, layers in settings:
            points = sorted(
                (key[4], cells[longest])
                for key, cells in saved.items()
                if key[:4] == (model, engine, threads, layers) and longest in cells
            )
            label = f"{engine}, after {layers}, threads: {threads}"
            _curve(axis, [x for x, _ in points], [y for _, y in points], label)
        axis.set(xlabel="quantile", ylabel=f"time saved %, {longest} tokens", title=model)
        _legend(axis)
    _save(figure, path)


def _draw_scaling(rows: Sequence[Row], path: Path) -> None:
    kinds = [kind for kind in SCALINGS if select(rows, kind=kind)]
    figure, axes = _axes(len(kinds), width=7.0)
    for axis, kind in zip(axes, kinds):
        field, title = SCALINGS[kind]
        chosen = select(rows, kind=kind)
        for engine in engines_of(chosen):
            for threads in distinct(select(chosen, engine=engine), "threads"):
                points = scaling_curve(select(chosen, engine=engine, threads=threads), field)
                label = f"{engine}, threads: {threads}"
                _curve(axis, list(points), list(points.values()), label)
        axis.set(xscale="log", yscale="log", xlabel=title, ylabel="median ms")
        _legend(axis)
    _save(figure, path)
