"""Which trials are worth going on with."""

from __future__ import annotations

from typing import List, Sequence, Tuple

# Cost, the lower the better, and score, the higher the better.
Point = Tuple[float, float]


def front(points: Sequence[Point]) -> List[int]:
    """Returns the points that no other beats in one measure without losing in the other.

    By cost; of equal points the first.
    """
    order = sorted(range(len(points)), key=lambda index: (points[index][0], -points[index][1]))
    best = float("-inf")
    found = []
    for index in order:
        if points[index][1] > best:
            best = points[index][1]
            found.append(index)
    return found


def survivors(points: Sequence[Point], n_kept: int) -> List[int]:
    """Returns the points that go on, in their order: front after front until there are enough.

    Successive halving (Jamieson and Talwalkar, 2016) keeps the best of one score; here there are
    two, so whole Pareto fronts are peeled off. Of the last front, the best scores.

    Args:
        points: Cost and score of each.
        n_kept: How many at most.
    """
    left = list(range(len(points)))
    kept: List[int] = []
    while left and len(kept) < n_kept:
        own = [left[index] for index in front([points[index] for index in left])]
        own.sort(key=lambda index: -points[index][1])
        kept += own[: n_kept - len(kept)]
        left = [index for index in left if index not in own]
    return sorted(kept)
