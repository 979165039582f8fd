"""Made-up rows of messages without content, and of bots with a large intent."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from benchmarks.robustness.small_bots import ORDINARY, SMALL_TALK


@pytest.fixture
def content_free_rows() -> List[Dict[str, Any]]:
    """One bot with both views, and by embeddings alone."""
    return [_row("off", None, 5), _row("off", 0.0, 1)]


def _row(plan: str, weight: Any, answered: int) -> Dict[str, Any]:
    return {
        "plan": plan,
        "lexical_weight": weight,
        "content_free": {
            "mash": {"n": 10, "answered": answered},
            "filler": {"n": 30, "answered": 0},
        },
        "in_scope": {
            SMALL_TALK: {"n": 4, "lost": 1, "right": 4},
            ORDINARY: {"n": 0, "lost": 0, "right": 0},
        },
    }


@pytest.fixture
def imbalance_rows() -> List[Dict[str, Any]]:
    """Two bots, even and uneven. Beside a large intent small ones lose four points, or one."""
    recalls = {("even", 0.0): 0.9, ("even", 0.1): 0.9, ("uneven", 0.0): 0.86, ("uneven", 0.1): 0.89}
    return [
        {
            "plan": "default",
            "sizes": sizes,
            "advantage": advantage,
            "small": {"recall": recall + more, "n": 50, "wrong": 6, "to_large": 2, "sure": 3},
            "large": {"recall": 0.75, "n": 16, "wrong": 4, "to_large": 0, "sure": 1},
        }
        for more in (0.05, -0.05)
        for (sizes, advantage), recall in recalls.items()
    ]
