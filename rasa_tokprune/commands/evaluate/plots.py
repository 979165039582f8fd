"""Plots of one run: calibration, coverage by threshold, confidence in and out of scope."""

from __future__ import annotations

from pathlib import Path
from typing import Any, List, Mapping, Optional, TypeVar

import numpy as np

from rasa_tokprune.commands.evaluate.predictions import Predictions

_RIGHT, _WRONG, _OOS = "#009292", "#920000", "#b08000"


_Text = TypeVar("_Text", str, Optional[str])


def plain_text(text: _Text) -> _Text:
    """Returns a text, or None, as matplotlib draws it to the letter."""
    return text.replace("$", r"\$") if text is not None else text


def draw_run(row: Mapping[str, Any], predictions: Predictions, folder: Path) -> None:
    """Draws calibration.png, coverage.png and, with out-of-scope messages, oos.png."""
    import matplotlib

    matplotlib.use("Agg")
    title = plain_text(f"{row['task']}, {row['shots']} shots, {row['model']}, {row['plan']}")
    _draw_calibration(row, title, folder / "calibration.png")
    _draw_coverage(row, title, folder / "coverage.png")
    if row["n_oos"]:
        _draw_oos(row, predictions, title, folder / "oos.png")


def _draw_calibration(row: Mapping[str, Any], title: str, path: Path) -> None:
    """Accuracy against confidence, with the number of messages in each bin."""
    figure, axis = _axis(f"{title}\nexpected calibration error {row['ece']:.3f}")
    axis.plot([0, 1], [0, 1], color="gray", ls="--", label="confidence is right")
    bins = [entry for entry in row["calibration"] if entry["count"]]
    axis.bar(
        [(entry["from"] + entry["to"]) / 2 for entry in bins],
        [entry["accuracy"] for entry in bins],
        width=[0.9 * (entry["to"] - entry["from"]) for entry in bins],
        color=_RIGHT,
        alpha=0.4,
    )
    axis.plot(
        [entry["confidence"] for entry in bins],
        [entry["accuracy"] for entry in bins],
        marker="o", color=_RIGHT, label="measured",
    )  # fmt: skip
    for entry in bins:
        place = ((entry["from"] + entry["to"]) / 2, 0.01)
        axis.annotate(str(entry["count"]), place, ha="center", fontsize=8)
    axis.set(xlabel="confidence (number of messages below)", ylabel="accuracy", ylim=(0, 1.02))
    axis.legend(loc="upper left", fontsize=8)
    _save(figure, path)


def _draw_coverage(row: Mapping[str, Any], title: str, path: Path) -> None:
    """Coverage, accuracy of what is answered and out-of-scope recall against the threshold."""
    figure, axis = _axis(title)
    lines = [
        ("coverage", "in-scope messages answered", "black"),
        ("accuracy", "of those right", _RIGHT),
        ("out_of_scope_recall", "out-of-scope messages rejected", _OOS),
    ]
    thresholds = [entry["threshold"] for entry in row["curve"]]
    for key, label, color in lines[: None if row["n_oos"] else 2]:
        axis.plot(thresholds, _column(row, key), color=color, label=label)
    _mark_operating_point(axis, row)
    axis.set(xlabel="confidence threshold", ylabel="share", ylim=(-0.02, 1.02))
    axis.legend(loc="best", fontsize=8)
    _save(figure, path)


def _draw_oos(row: Mapping[str, Any], predictions: Predictions, title: str, path: Path) -> None:
    """Histograms of the confidence that a message is in scope."""
    figure, axis = _axis(f"{title}\nAUROC {row['oos_auroc']:.3f}")
    in_scope, is_right = predictions.scope_confidences, predictions.is_right
    groups = (
        (in_scope[is_right], "in scope, right", _RIGHT),
        (in_scope[~is_right], "in scope, wrong", _WRONG),
        (np.array(predictions.oos_confidences), "out of scope", _OOS),
    )
    for values, label, color in groups:
        if len(values):
            weights = np.full(len(values), 1 / len(values))
            axis.hist(
                values, np.linspace(0, 1, 21), weights=weights, histtype="step", lw=1.8,
                color=color, label=f"{label} ({len(values)})",
            )  # fmt: skip
    _mark_operating_point(axis, row)
    axis.set(xlabel="confidence that it is in scope", ylabel="share of the group")
    axis.legend(loc="best", fontsize=8)
    _save(figure, path)


def _mark_operating_point(axis: Any, row: Mapping[str, Any]) -> None:
    point = row["operating_confidence"]
    axis.axvline(point, color="gray", ls=":", label=f"operating threshold {point}")


def _column(row: Mapping[str, Any], key: str) -> List[float]:
    return [float("nan") if entry[key] is None else entry[key] for entry in row["curve"]]


def _axis(title: str) -> Any:
    import matplotlib.pyplot as plt

    figure, axis = plt.subplots(figsize=(6.5, 4.5))
    axis.grid(alpha=0.3)
    axis.set_title(title, fontsize=9)
    axis.set_xlim(0, 1)
    return figure, axis


def _save(figure: Any, path: Path) -> None:
    import matplotlib.pyplot as plt

    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
