"""Plots of one run: calibration, coverage by threshold, confidence in and out of scope."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, TypeVar

import numpy as np

from rasa_tokprune.commands.evaluate.predictions import Predictions
from rasa_tokprune.plots.panel import Panel
from rasa_tokprune.plots.picture import draw_picture

# Column of the curve -> words at its line, and whose colour it has.
_CURVES = {
    "coverage": ("in-scope messages\nanswered", "other"),
    "accuracy": ("of those right", "right"),
    "out_of_scope_recall": ("out-of-scope\nmessages rejected", "out_of_scope"),
}

_Text = TypeVar("_Text", str, Optional[str])


def plain_text(text: _Text) -> _Text:
    """Returns a text, or None, as matplotlib draws it to the letter."""
    return text.replace("$", r"\$") if text is not None else text


def draw_run(row: Mapping[str, Any], predictions: Predictions, folder: Path) -> None:
    """Draws calibration.png, coverage.png and, with out-of-scope messages, oos.png."""
    about = plain_text(f"{row['task']}, {row['shots']} shots, {row['model']}, {row['plan']}")
    draws: Dict[str, Callable[[Panel], None]] = {
        "calibration.png": lambda panel: _draw_calibration(panel, row, about),
        "coverage.png": lambda panel: _draw_coverage(panel, row, about),
    }
    if row["n_oos"]:
        draws["oos.png"] = lambda panel: _draw_oos(panel, row, predictions, about)
    for name, draw in draws.items():
        draw_picture(folder / name, functools.partial(_draw_one, draw), height=4.2)


def _draw_one(draw: Callable[[Panel], None], panels: Sequence[Panel]) -> None:
    draw(panels[0])


def _draw_calibration(panel: Panel, row: Mapping[str, Any], about: str) -> None:
    """Accuracy against confidence, with the number of messages in each bin."""
    bins = [entry for entry in row["calibration"] if entry["count"]]
    panel.line([0, 1], [0, 1], thing="other", label="if confidence\nwere right", has_marks=False)
    if bins:
        confidence, accuracy = ([each[key] for each in bins] for key in ("confidence", "accuracy"))
        panel.line(confidence, accuracy, thing="right", label="measured")
    for entry in bins:
        panel.write((entry["from"] + entry["to"]) / 2, 0, str(entry["count"]))
    panel.describe(
        title=f"Can confidence be believed? Expected error {row['ece']:.3f}",
        y=f"share of right answers; {about}",
        x="confidence; above it how many messages have it",
    )
    panel.axis.set(xlim=(0, 1), ylim=(-0.02, 1.02))


def _draw_coverage(panel: Panel, row: Mapping[str, Any], about: str) -> None:
    """Coverage, accuracy of what is answered and out-of-scope recall against the threshold."""
    for key, (label, thing) in _CURVES.items():
        points = [(e["threshold"], e[key]) for e in row["curve"] if _is_number(e[key])]
        if points and (row["n_oos"] or key != "out_of_scope_recall"):
            panel.line(*zip(*points), thing=thing, label=label, has_marks=False, dash="-")
    _mark_operating_point(panel, row)
    panel.describe(
        title="What a threshold answers and rejects", y=f"share; {about}", x="confidence threshold"
    )
    panel.axis.set(xlim=(0, 1), ylim=(-0.02, 1.02))


def _draw_oos(panel: Panel, row: Mapping[str, Any], predictions: Predictions, about: str) -> None:
    """Histograms of the confidence that a message is in scope, labelled at their peaks."""
    in_scope, is_right = predictions.scope_confidences, predictions.is_right
    groups = (
        (in_scope[is_right], "in scope, right", "right"),
        (in_scope[~is_right], "in scope, wrong", "wrong"),
        (np.array(predictions.oos_confidences), "out of scope", "out_of_scope"),
    )
    edges = np.linspace(0, 1, 21)
    middles = (edges[:-1] + edges[1:]) / 2
    for values, words, thing in groups:
        if len(values):
            shares = np.histogram(values, edges)[0] / len(values)
            peak = int(shares.argmax())
            label = f"{words} ({len(values)})"
            panel.line(list(middles), list(shares), thing=thing, label=label, label_at=peak)
    _mark_operating_point(panel, row)
    panel.describe(
        title=f"Are messages out of scope told apart? AUROC {row['oos_auroc']:.3f}",
        y=f"share of each group; {about}",
        x="confidence that a message is in scope",
    )
    panel.axis.set_xlim(0, 1)


def _mark_operating_point(panel: Panel, row: Mapping[str, Any]) -> None:
    point = row["operating_confidence"]
    panel.mark(point, f"operating threshold {point}")


def _is_number(value: Optional[float]) -> bool:
    return value is not None and not math.isnan(value)
