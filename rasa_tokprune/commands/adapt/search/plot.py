"""Accuracy and agreement of all trials against cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from rasa_tokprune.commands.adapt.search.halving import front
from rasa_tokprune.commands.adapt.training.student import Importance


def draw_search(rows: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Draws every trial, the Pareto front of each round, and the controls.

    Args:
        rows: Of `run_trial`.
        path: PNG file.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(1, 2, figsize=(11, 4.6))
    for axis, key in zip(axes, ("accuracy", "agreement")):
        for steps, own in sorted(_by_steps(rows).items()):
            points = [(row["cost"], 100 * row[key]) for row in own]
            (line,) = axis.plot(*zip(*points), "o", ms=3, alpha=0.45)
            best = [points[index] for index in front(points)]
            axis.plot(*zip(*best), color=line.get_color(), label=f"{steps} steps")
        for control, mark in ((Importance.RANDOM, "x"), (Importance.INVERSE, "v")):
            chosen = [row for row in rows if row["importance"] == control.value]
            if chosen:
                points = [(row["cost"], 100 * row[key]) for row in chosen]
                axis.plot(*zip(*points), mark, color="black", ms=5, label=f"by {control.value}")
        axis.set(xlabel="cost (token-layers)", ylabel=f"{key} %")
        axis.grid(alpha=0.3)
    axes[0].legend(fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _by_steps(rows: Sequence[Mapping[str, Any]]) -> Dict[int, List[Mapping[str, Any]]]:
    found: Dict[int, List[Mapping[str, Any]]] = {}
    for row in rows:
        if row["importance"] == Importance.ATTENTION.value:
            found.setdefault(row["steps"], []).append(row)
    return found
