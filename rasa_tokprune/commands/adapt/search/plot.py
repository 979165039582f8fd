"""Accuracy and agreement of all trials against cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from rasa_tokprune.commands.adapt.search.halving import front
from rasa_tokprune.commands.adapt.training.student import Importance
from rasa_tokprune.plots.panel import Panel
from rasa_tokprune.plots.picture import draw_picture

# Points that are shown below the lowest line; trials below that are far off.
_BELOW = 2.0
Rows = Sequence[Mapping[str, Any]]
_MEASURES = {
    "accuracy": "right answers, %",
    "agreement": "answers that are the un-pruned model's, %",
}
_CONTROLS = {
    Importance.RANDOM: ("random tokens", ":"),
    Importance.INVERSE: ("most attended", "-."),
}


def draw_search(rows: Rows, path: Path) -> None:
    """Draws every trial, the best of the first and of the last round, and the controls.

    Args:
        rows: Of `run_trial`.
        path: PNG file.
    """
    draw_picture(path, lambda panels: draw_panels(rows, panels), **SHAPE)


def draw_panels(rows: Rows, panels: Sequence[Panel]) -> None:
    """Draws into two panels, accuracy and agreement."""
    tried = [row for row in rows if row["importance"] == Importance.ATTENTION.value]
    rounds = sorted({row["steps"] for row in tried})
    for panel, (key, words) in zip(panels, _MEASURES.items()):
        panel.cloud(*zip(*_points(tried, key)), thing="other")
        for steps, thing in {rounds[0]: "off", rounds[-1]: "light"}.items():
            points = _points([row for row in tried if row["steps"] == steps], key)
            best = [points[index] for index in front(points)]
            panel.line(*zip(*best), thing=thing, label=f"best, {_trained(steps)}")
        for control, (label, dash) in _CONTROLS.items():
            own = _last_round(rows, control)
            points = _points(own, key)
            if points:
                label += f",\n{_trained(own[0]['steps'])}"
                panel.line(*zip(*sorted(points)), thing="other", label=label, dash=dash)
        lines = [value for line in panel.curves for value in line[1]]
        panel.axis.set_ylim(min(lines) - _BELOW, max(lines) + 1)
        panel.describe(title=key.capitalize(), y=words, x="cost, share of the token-layers")


SHAPE: Dict[str, Any] = {"height": 6.2, "n_rows": len(_MEASURES)}


def _points(rows: Rows, key: str) -> List[Tuple[float, float]]:
    return [(row["cost"], 100 * row[key]) for row in rows]


def _last_round(rows: Rows, control: Importance) -> Rows:
    own = [row for row in rows if row["importance"] == control.value]
    last = max((row["steps"] for row in own), default=0)
    return [row for row in own if row["steps"] == last]


def _trained(steps: int) -> str:
    return f"{steps} steps" if steps else "un-trained"
