"""Words keep apart: the numbers are checked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rasa_tokprune.plots.labels import Box, best_place, candidates, overlap, spread


def test_labels_with_room_stay() -> None:
    assert spread([50.0, 10.0, 90.0], [10.0] * 3, 0, 100) == [50.0, 10.0, 90.0]
    assert spread([], [], 0, 100) == []


def test_labels_that_collide_share_the_way() -> None:
    assert spread([50.0, 50.0], [10.0, 10.0], 0, 100) == [45.0, 55.0]
    assert spread([52.0, 48.0], [10.0, 10.0], 0, 100) == [55.0, 45.0], "their order stays"
    assert spread([50.0, 50.0], [10.0, 30.0], 0, 100) == pytest.approx([40.0, 60.0])


def test_labels_stay_in_the_frame() -> None:
    assert spread([0.0, 1.0], [10.0, 10.0], 0, 100) == [5.0, 15.0]
    assert spread([100.0, 99.0], [10.0, 10.0], 0, 100) == [95.0, 85.0]
    # More than there is room for: none lies on another.
    assert spread([5.0] * 3, [10.0] * 3, 0, 20) == [5.0, 15.0, 25.0]


def test_no_two_labels_ever_overlap() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        heights = random.uniform(5, 20, size=6)
        wanted = random.uniform(0, 300, size=6)
        found = np.array(spread(list(wanted), list(heights), 0, 300))
        order = np.argsort(found)
        gaps = np.diff(found[order])
        needed = (heights[order][:-1] + heights[order][1:]) / 2
        assert (gaps >= needed - 1e-9).all()
        assert (order == np.argsort(wanted)).all()


def test_overlap_is_an_area() -> None:
    assert overlap(Box(0, 0, 10, 10), Box(5, 8, 20, 20)) == 10
    assert overlap(Box(0, 0, 10, 10), Box(10, 0, 20, 10)) == 0


def test_a_label_goes_right_of_its_point_if_it_can() -> None:
    places = candidates(50, 50, width=20, height=10, gap=5)
    page = Box(0, 0, 100, 100)
    assert best_place(places, [], page) == Box(55, 45, 75, 55)
    assert best_place(places, [Box(60, 45, 90, 55)], page) == Box(25, 45, 45, 55), "then left"
    assert best_place(places, [], Box(0, 0, 60, 100)) == Box(25, 45, 45, 55), "not off the page"


def test_where_all_is_taken_least_is_covered() -> None:
    places = [Box(0, 0, 10, 10), Box(20, 0, 30, 10)]
    taken = [Box(0, 0, 10, 10), Box(20, 0, 30, 4)]
    assert best_place(places, taken, Box(0, 0, 100, 100)) == places[1]
