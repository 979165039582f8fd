"""The picture of accuracy against the time of one message."""

from __future__ import annotations

from pathlib import Path
from typing import List, Mapping, Tuple

from benchmarks.plots import draw_both
from rasa_tokprune.plots.panel import Panel

# In words at the point; what is not here keeps its name.
WORDS = {
    "diet": "DIET, Rasa's default",
    "language_model": "LanguageModelFeaturizer\n+ DIET",
    "setfit": "SetFit",
    "sentence_transformers": "sentence-transformers\n+ LogisticRegression",
    "semantic_router": "semantic-router",
    "features": "our features\n+ LogisticRegression",
    "off": "ours, not pruned",
    "light": "ours, light (default)",
    "balanced": "ours, balanced",
    "fast": "ours, fast",
}
_DEFAULT = "light"
_NUMBERS = (0.5, 1, 2, 5, 10, 20, 50, 100, 200)
_HEIGHT = 3.9


def draw_points(points: Mapping[str, Tuple[float, float]], n_sets: int, path: Path) -> None:
    """Draws one point for each peer, on light and dark ground.

    Args:
        points: Peer -> milliseconds, accuracy in percent.
        n_sets: How many sets the accuracies are means of.
        path: PNG file, the light one.
    """

    def draw(panels: List[Panel]) -> None:
        (panel,) = panels
        times = [time for time, _ in points.values()] or [1.0]
        low, high = 0.7 * min(times), 2.2 * max(times)
        panel.logarithmic(x={n: f"{n:g} ms" for n in _NUMBERS if low <= n <= high})
        panel.axis.set_xlim(low, high)
        panel.axis.margins(y=0.1)
        panel.describe(
            y=f"right answers %, mean of {n_sets} bots that nobody trained on",
            x="time of one message, one core",
        )
        for name, (time, accuracy) in points.items():
            words = WORDS.get(name, name)
            panel.point(time, accuracy, thing=name, label=words, is_strong=name == _DEFAULT)

    draw_both(path, draw, height=_HEIGHT)
