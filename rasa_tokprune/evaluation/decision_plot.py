"""Coverage against accuracy and out-of-scope recall, ours and rivals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, List, Mapping, Sequence, Tuple

_PANELS = (
    ("accuracy", "of the answered, right %"),
    ("out_of_scope_recall", "out-of-scope messages rejected %"),
)


def draw_plot(
    lines: Mapping[str, Mapping[str, Mapping[str, Any]]], tasks: Sequence[str], path: Path
) -> None:
    """Draws two panels for every task with out-of-scope messages, one line per pipeline.

    Args:
        lines: From `measured_lines`.
        tasks: In reading order.
        path: PNG file.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    shown = [
        task
        for task in tasks
        if any("oos_auroc" in by_task.get(task, {}) for by_task in lines.values())
    ]
    if not shown:
        return
    size = (4.6 * len(shown), 8)
    figure, axes = plt.subplots(2, len(shown), figsize=size, squeeze=False)
    for column, task in enumerate(shown):
        for axis, (key, label) in zip(axes[:, column], _PANELS):
            for text, by_task in lines.items():
                points = curve_points(by_task[task]["curve"], key) if task in by_task else []
                if points:
                    style = "-" if text.startswith("our classifier") else "--"
                    axis.plot(*zip(*points), style, marker="o", ms=2.5, label=text)
            axis.set(title=task, xlabel="in-scope messages answered %", ylabel=label)
            axis.grid(alpha=0.3)
    axes[0][0].legend(loc="best", fontsize=7)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def curve_points(curve: Sequence[Mapping[str, Any]], key: str) -> List[Tuple[float, float]]:
    """Returns (coverage %, value %) by threshold, without those that have no value."""
    return [
        (100 * entry["coverage"], 100 * entry[key])
        for entry in curve
        if entry[key] is not None and not math.isnan(entry[key])
    ]
