"""Where words go in a plot, so that none lies on another."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence, Tuple

import numpy as np


class Box(NamedTuple):
    """A rectangle in pixels.

    Attributes:
        left: Its left side.
        bottom: Its lower side.
        right: Its right side.
        top: Its upper side.
    """

    left: float
    bottom: float
    right: float
    top: float


def spread(
    wanted: Sequence[float], heights: Sequence[float], low: float, high: float
) -> List[float]:
    """Returns middles of labels moved apart: as near as can be to where they belong.

    Least squares that keep the order, by pooling neighbours that collide (isotonic regression).

    Args:
        wanted: Where each label's middle belongs, in pixels.
        heights: Of each label with what is to be free around it, in pixels.
        low: Nothing goes below.
        high: Nothing goes above, while there is room.
    """
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    tall = [heights[index] for index in order]
    offsets = np.cumsum(tall) - np.array(tall) / 2
    pools: List[Tuple[float, int]] = []
    for index, offset in zip(order, offsets):
        pools.append((wanted[index] - offset, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (upper, n_upper), (lower, n_lower) = pools.pop(), pools.pop()
            n_both = n_upper + n_lower
            pools.append(((upper * n_upper + lower * n_lower) / n_both, n_both))
    bases = [base for base, count in pools for _ in range(count)]
    found = [0.0] * len(wanted)
    for index, base, offset in zip(order, bases, offsets):
        found[index] = float(max(min(base, high - sum(tall)), low) + offset)
    return found


def overlap(one: Box, other: Box) -> float:
    """Returns the area that two rectangles share, in square pixels."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.top, other.top) - max(one.bottom, other.bottom)
    return max(width, 0.0) * max(height, 0.0)


def candidates(x: float, y: float, width: float, height: float, gap: float) -> List[Box]:
    """Returns where a label may lie beside a point, what reads best first.

    Args:
        x: Of the point, in pixels.
        y: Of the point, in pixels.
        width: Of the label.
        height: Of the label.
        gap: Between point and label.
    """
    right, left = x + gap, x - gap - width
    middle, above, below = y - height / 2, y + gap, y - gap - height
    corners = [
        (right, middle), (left, middle), (x - width / 2, above), (x - width / 2, below),
        (right, above - gap / 2), (right, below + gap / 2),
        (left, above - gap / 2), (left, below + gap / 2),
        (right, above + height), (right, below - height),
        (left, above + height), (left, below - height),
    ]  # fmt: skip
    return [Box(across, up, across + width, up + height) for across, up in corners]


def best_place(places: Sequence[Box], taken: Sequence[Box], inside: Box) -> Box:
    """Returns the first place that is free, else the one that covers least.

    Args:
        places: From `candidates`.
        taken: Where other things lie.
        inside: What lies outside of it counts as covered.
    """

    def covered(place: Box) -> float:
        area = (place.right - place.left) * (place.top - place.bottom)
        return sum(overlap(place, other) for other in taken) + area - overlap(place, inside)

    return min(places, key=lambda place: round(covered(place), 3))
