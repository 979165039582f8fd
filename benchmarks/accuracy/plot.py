"""The plot of coverage against accuracy and out-of-scope recall, ours and rivals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, List, Mapping, Sequence, Tuple

from benchmarks.plots import panels

_PANELS = (
    ("accuracy", "of the answered, right %"),
    ("out_of_scope_recall", "out-of-scope messages rejected %"),
)


def draw_lines(
    lines: Mapping[str, Mapping[str, Mapping[str, Any]]], tasks: Sequence[str], path: Path
) -> None:
    """Draws two panels for every task with out-of-scope messages, one line per pipeline.

    Args:
        lines: From `measured_lines`.
        tasks: In reading order.
        path: PNG file.
    """
    shown = [
        task
        for task in tasks
        if any("oos_auroc" in by_task.get(task, {}) for by_task in lines.values())
    ]
    with panels(path, len(shown), n_rows=2, size=(4.6 * len(shown), 8)) as axes:
        for column, task in enumerate(shown):
            for axis, (key, label) in zip(axes[:, column], _PANELS):
                _draw_panel(axis, lines, task, key)
                axis.set(title=task, xlabel="in-scope messages answered %", ylabel=label)
                axis.grid(alpha=0.3)
        axes[0][0].legend(loc="best", fontsize=7)


def _draw_panel(
    axis: Any, lines: Mapping[str, Mapping[str, Mapping[str, Any]]], task: str, key: str
) -> None:
    for text, by_task in lines.items():
        points = curve_points(by_task[task]["curve"], key) if task in by_task else []
        if points:
            style = "-" if text.startswith("our classifier") else "--"
            axis.plot(*zip(*points), style, marker="o", ms=2.5, label=text)


def curve_points(curve: Sequence[Mapping[str, Any]], key: str) -> List[Tuple[float, float]]:
    """Returns (coverage %, value %) by threshold, without those that have no value."""
    return [
        (100 * entry["coverage"], 100 * entry[key])
        for entry in curve
        if entry[key] is not None and not math.isnan(entry[key])
    ]
