"""Words in every colour can be read, and no form of colour blindness makes two plans one."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from rasa_tokprune.palette import COLOURS, GROUNDS, PLANS, THEMES, colour
from rasa_tokprune.plots.marks import MARKS

# Machado, Oliveira and Fernandes, "A Physiologically-based Model for Simulation of Color Vision
# Deficiency" (2009), severity 1: what linear RGB looks like without one kind of cones.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array([[0.152286, 1.052583, -0.204868],
                            [0.114503, 0.786281, 0.099216],
                            [-0.003882, -0.048116, 1.051998]]),
    "deuteranopia": np.array([[0.367322, 0.860646, -0.227968],
                              [0.280085, 0.672501, 0.047413],
                              [-0.011820, 0.042940, 0.968881]]),
    "tritanopia": np.array([[1.255528, -0.076749, -0.178779],
                            [-0.078411, 0.930809, 0.147602],
                            [0.004733, 0.691367, 0.303900]]),
}  # fmt: skip
# What becomes of messages; never in one picture with plans or peers.
FATES = ("right", "wrong", "out_of_scope")
# sRGB to XYZ, and its white (IEC 61966-2-1).
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375],
     [0.2126729, 0.7151522, 0.0721750],
     [0.0193339, 0.1191920, 0.9503041]]
)  # fmt: skip
WHITE = TO_XYZ.sum(axis=1)


def linear(tint: str) -> np.ndarray:
    """Returns linear RGB, 0 to 1."""
    values = np.array([int(tint[k : k + 2], 16) / 255 for k in (1, 3, 5)])
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def lab(values: np.ndarray) -> np.ndarray:
    """Returns CIE L*a*b* of linear RGB."""
    x, y, z = np.cbrt(np.maximum(TO_XYZ @ values / WHITE, 0.008856))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def difference(one: str, other: str, blindness: str) -> float:
    """Returns the CIE 1976 difference; about 2.3 is just seen side by side."""
    seen = (np.clip(BLINDNESS[blindness] @ linear(tint), 0, 1) for tint in (one, other))
    first, second = map(lab, seen)
    return float(np.linalg.norm(first - second))


def contrast(one: str, other: str) -> float:
    """Returns the contrast of WCAG 2.1, 1 to 21."""
    low, high = sorted(float(TO_XYZ[1] @ linear(tint)) for tint in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_the_measures_are_those_of_the_standards() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)
    assert difference("#ffffff", "#000000", "none") == pytest.approx(100, abs=9)
    assert difference("#808080", "#808080", "protanopia") == 0
    for blindness, matrix in BLINDNESS.items():
        assert matrix.sum(axis=1) == pytest.approx(np.ones(3), abs=1e-5), f"{blindness} keeps grey"


@pytest.mark.parametrize("theme", THEMES)
def test_words_can_be_read(theme: str) -> None:
    ground = GROUNDS[theme]
    tints = {"ink": ground.ink, "faint": ground.faint}
    tints.update({thing: by_theme[theme] for thing, by_theme in COLOURS.items()})
    for thing, tint in tints.items():
        assert contrast(tint, ground.paper) >= 4.5, f"{thing} on {theme} ground"


@pytest.mark.parametrize("blindness", BLINDNESS)
@pytest.mark.parametrize("theme", THEMES)
def test_plans_and_what_rasa_has_stay_apart(theme: str, blindness: str) -> None:
    for one, other in itertools.combinations((*PLANS, "diet", "features"), 2):
        least = 18 if one in PLANS and other in PLANS else 10
        found = difference(colour(one, theme), colour(other, theme), blindness)
        assert found >= least, f"{one} and {other}"


def test_colour_is_not_alone() -> None:
    # Peers may look alike to some readers; each has a mark of its own too.
    things = [thing for thing in COLOURS if thing not in ("other", *FATES)]
    assert {*things, *FATES} == set(MARKS)
    assert len({MARKS[thing] for thing in things}) == len(things)
    for theme in THEMES:
        assert len({colour(thing, theme) for thing in things}) == len(things)
    assert len({MARKS[fate] for fate in FATES}) == len(FATES)


def test_what_has_no_colour_is_grey() -> None:
    assert colour("unheard of") == COLOURS["other"]["light"]
