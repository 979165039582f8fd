"""The plot of coverage against accuracy and out-of-scope recall, ours and rivals."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, List, Mapping, Sequence, Tuple

from benchmarks.names import task_title
from benchmarks.plots import draw_both
from rasa_tokprune.plots.panel import Panel

# Pipeline of the tables -> words at its line, and whose colour it has.
_LINES = {
    "our classifier, un-pruned, int8": ("ours,\nun-pruned", "off"),
    "our classifier, plan `light`, int8": ("ours, light\n(default)", "light"),
    "Rasa's default (DIET)": ("Rasa's default\n(DIET)", "diet"),
}
# Few messages are left beyond, and shares of few say little.
_LEAST_COVERAGE, _MOST_RECALL = 20.0, 95.0

# Line -> task -> what was measured.
Lines = Mapping[str, Mapping[str, Mapping[str, Any]]]


def draw_lines(lines: Lines, tasks: Sequence[str], path: Path) -> None:
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

    def draw(panels: List[Panel]) -> None:
        for row, task in enumerate(shown):
            right, caught = panels[2 * row : 2 * row + 2]
            for pipeline, (words, thing) in _LINES.items():
                curve = lines.get(pipeline, {}).get(task, {}).get("curve", ())
                accuracy = [p for p in curve_points(curve, "accuracy") if p[0] >= _LEAST_COVERAGE]
                recall = [
                    (up, across)
                    for across, up in curve_points(curve, "out_of_scope_recall")
                    if up <= _MOST_RECALL
                ]
                for panel, points in ((right, accuracy), (caught, recall)):
                    if points:
                        panel.line(*zip(*sorted(points)), thing=thing, label=words, has_marks=False)
            right.describe(
                title=task_title(task), y="of the answered, right, %", x="messages answered, %"
            )
            caught.describe(
                title=" ", y="in-scope messages answered, %", x="out-of-scope messages rejected, %"
            )

    draw_both(path, draw, height=2.6 * len(shown), n_rows=len(shown), n_columns=2)


def curve_points(curve: Sequence[Mapping[str, Any]], key: str) -> List[Tuple[float, float]]:
    """Returns (coverage %, value %) by threshold, without those that have no value."""
    return [
        (100 * entry["coverage"], 100 * entry[key])
        for entry in curve
        if entry[key] is not None and not math.isnan(entry[key])
    ]
