"""The colours of plots, pages and reports: one thing, one colour, on light and dark ground.

Text in any of them has a contrast of 4.5 to 1 or more with the ground. The plans of ours stay apart
for readers with any form of colour blindness (simulated after Machado, Oliveira and Fernandes,
2009); peers have marks and dashes of their own beside their colours, and words at every line.
`tests/test_palette.py` holds all of this.
"""

from __future__ import annotations

import dataclasses
from typing import Dict

LIGHT, DARK = "light", "dark"
THEMES = (LIGHT, DARK)


@dataclasses.dataclass(frozen=True)
class Ground:
    """Colours of a page, as #rrggbb.

    Attributes:
        paper: Behind everything.
        ink: Text and axes.
        faint: What stands back: grids, second lines, what is compared with.
    """

    paper: str
    ink: str
    faint: str


GROUNDS: Dict[str, Ground] = {
    LIGHT: Ground("#ffffff", "#1f2328", "#656d76"),
    DARK: Ground("#0d1117", "#e6edf3", "#9198a1"),
}

# By thing, then theme. Plans of ours go from blue over green and yellow to brown or orange as they
# prune more; `hard` prunes a model that was not trained for it. Below them peers, and what
# becomes of messages.
COLOURS: Dict[str, Dict[str, str]] = {
    "off": {LIGHT: "#0b57c2", DARK: "#4d94f0"},
    "light": {LIGHT: "#007a55", DARK: "#2fe0b5"},
    "balanced": {LIGHT: "#8a6d00", DARK: "#f5e96b"},
    "fast": {LIGHT: "#6e2600", DARK: "#e88a3c"},
    "hard": {LIGHT: "#1f2328", DARK: "#e6edf3"},
    "diet": {LIGHT: "#8f0f6b", DARK: "#f78fd0"},
    "features": {LIGHT: "#cf2233", DARK: "#ff6b57"},
    "setfit": {LIGHT: "#6a3fc0", DARK: "#b79cff"},
    "semantic_router": {LIGHT: "#44546a", DARK: "#a9b8cc"},
    "sentence_transformers": {LIGHT: "#4f6b00", DARK: "#b5cf4f"},
    "language_model": {LIGHT: "#7a5c3a", DARK: "#cdb08c"},
    "onnxruntime": {LIGHT: "#00728f", DARK: "#5cc8e0"},
    "openvino": {LIGHT: "#8a3c5a", DARK: "#e8a0b4"},
    "right": {LIGHT: "#0b57c2", DARK: "#4d94f0"},
    "wrong": {LIGHT: "#cf2233", DARK: "#ff6b57"},
    "out_of_scope": {LIGHT: "#8a6d00", DARK: "#f5e96b"},
    "other": {LIGHT: "#656d76", DARK: "#8b929b"},
}
# Plans of ours, as they prune more.
PLANS = ("off", "light", "balanced", "fast")


def colour(thing: str, theme: str = LIGHT) -> str:
    """Returns a thing's colour, #rrggbb; grey for what has none of its own.

    Args:
        thing: A key of `COLOURS`.
        theme: 'light' or 'dark'.
    """
    return COLOURS.get(thing, COLOURS["other"])[theme]
