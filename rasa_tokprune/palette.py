"""The colours of plots, pages and reports: one thing, one colour, on light and dark ground.

The hues are those of Okabe and Ito, "Color Universal Design" (2008), which readers with any form of
colour blindness tell apart; some are lightened or darkened so that text in them has a contrast of
4.5 to 1 or more with the ground.
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

# By thing, then theme. Plans of ours go from blue over green to orange as they prune more; peers
# are purple, red, brown and grey.
COLOURS: Dict[str, Dict[str, str]] = {
    "off": {LIGHT: "#0062a3", DARK: "#56b4e9"},
    "light": {LIGHT: "#00795a", DARK: "#1fc79b"},
    "balanced": {LIGHT: "#7a6400", DARK: "#f0e442"},
    "fast": {LIGHT: "#a35200", DARK: "#f0a33c"},
    "diet": {LIGHT: "#96417a", DARK: "#e39ac6"},
    "features": {LIGHT: "#b33c00", DARK: "#ff8a5c"},
    "other": {LIGHT: "#656d76", DARK: "#9198a1"},
}


def colour(thing: str, theme: str = LIGHT) -> str:
    """Returns a thing's colour, #rrggbb; grey for what has none of its own.

    Args:
        thing: A key of `COLOURS`.
        theme: 'light' or 'dark'.
    """
    return COLOURS.get(thing, COLOURS["other"])[theme]
