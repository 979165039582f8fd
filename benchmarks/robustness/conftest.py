"""Made-up rows of messages without content."""

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
