"""Marks and dashes: what tells things apart beside their colours.

Marks are those of matplotlib.
"""

from __future__ import annotations

from typing import Dict

from rasa_tokprune.palette import PLANS

# Keys are those of the palette.
MARKS: Dict[str, str] = {
    "off": "o",
    "light": "s",
    "balanced": "^",
    "fast": "D",
    "hard": "v",
    "diet": "X",
    "features": "P",
    "setfit": "p",
    "semantic_router": "h",
    "sentence_transformers": "<",
    "language_model": ">",
    "onnxruntime": "*",
    "openvino": "d",
    "right": "o",
    "wrong": "X",
    "out_of_scope": "^",
}
_SOLID = (*PLANS, "hard", "features", "right", "wrong", "out_of_scope")


def mark_of(thing: str) -> str:
    """Returns a thing's mark; a dot for what has none of its own."""
    return MARKS.get(thing, "o")


def mark_size(mark: str, points: float) -> float:
    """Returns the size with which a mark looks as large as a dot of so many points."""
    return 1.7 * points if mark == "*" else points


def dash_of(thing: str) -> str:
    """Returns the style of a thing's lines: solid for what is ours, dashed for peers."""
    return "-" if thing in _SOLID else "--"
