"""A picture as it is drawn: size, ground, words in place."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any, Callable, List

import pytest

from rasa_tokprune.palette import GROUNDS, THEMES, colour
from rasa_tokprune.plots.labels import Box, overlap
from rasa_tokprune.plots.marks import MARKS, dash_of, mark_of
from rasa_tokprune.plots.panel import Panel
from rasa_tokprune.plots.picture import draw_picture

pytestmark = pytest.mark.needs("matplotlib")
PNG = b"\x89PNG"
THINGS = ("off", "light", "balanced", "fast", "diet", "features")


def texts_of(panel: Panel) -> List[Any]:
    return [text for text in panel.axis.texts if text.get_text()]


def boxes_of(panel: Panel) -> List[Box]:
    renderer = panel.axis.figure.canvas.get_renderer()
    found = (text.get_window_extent(renderer) for text in texts_of(panel))
    return [Box(*box.extents) for box in found]


def drawn(path: Path, draw: Callable[[Panel], None], theme: str = "light") -> Panel:
    kept: List[Panel] = []

    def keep(panels: List[Panel]) -> None:
        kept.extend(panels)
        draw(panels[0])

    draw_picture(path, keep, height=3, theme=theme)
    return kept[0]


@pytest.mark.parametrize("theme", THEMES)
def test_six_lines_that_meet_have_words_apart(theme: str, tmp_path: Path) -> None:
    def draw(panel: Panel) -> None:
        for number, thing in enumerate(THINGS):
            panel.line([0, 1], [0, 1 + number / 100], thing=thing, label=f"line of\n{thing}")
        panel.rule(1.0, label="a level")

    panel = drawn(tmp_path / "lines.png", draw, theme)
    assert (tmp_path / "lines.png").read_bytes().startswith(PNG)
    boxes = boxes_of(panel)
    assert len(boxes) == len(THINGS) + 1
    assert not any(overlap(one, other) for one, other in itertools.combinations(boxes, 2))
    page = panel.axis.figure.bbox
    assert all(page.x0 <= box.left and box.right <= page.x1 for box in boxes), "cut off"
    assert all(page.y0 <= box.bottom and box.top <= page.y1 for box in boxes), "cut off"
    by_text = {text.get_text(): text.get_color() for text in texts_of(panel)}
    assert by_text["line of\nfast"] == colour("fast", theme), "words in the line's colour"
    assert panel.axis.get_facecolor()[:3] == pytest.approx(
        [int(GROUNDS[theme].paper[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    )


def test_words_beside_points_keep_apart(tmp_path: Path) -> None:
    def draw(panel: Panel) -> None:
        for number, thing in enumerate(THINGS):
            panel.point(1 + number / 50, 70, thing=thing, label=thing, is_strong=thing == "light")
        panel.axis.set(xlim=(0.5, 1.6), ylim=(60, 80))

    boxes = boxes_of(drawn(tmp_path / "points.png", draw))
    assert len(boxes) == len(THINGS)
    assert not any(overlap(one, other) for one, other in itertools.combinations(boxes, 2))


def test_the_readers_settings_change_nothing(tmp_path: Path) -> None:
    import matplotlib

    def draw(panel: Panel) -> None:
        panel.line([1, 10, 100], [3, 2, 1], thing="off", label="ours")
        panel.logarithmic(x=[1, 10, 100])
        panel.describe(title="Title", x="right", y="up")

    drawn(tmp_path / "one.png", draw)
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        drawn(tmp_path / "two.png", draw)
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_numbers_on_a_logarithmic_axis_can_be_words(tmp_path: Path) -> None:
    def draw(panel: Panel) -> None:
        panel.line([1, 1000], [1, 2], thing="off", label="ours")
        panel.logarithmic(x={1: "1 ms", 1000: "1 s"})

    axis = drawn(tmp_path / "times.png", draw).axis
    assert [text.get_text() for text in axis.get_xticklabels()] == ["1 ms", "1 s"]


def test_bars_go_from_above_to_below(tmp_path: Path) -> None:
    axis = drawn(
        tmp_path / "bars.png",
        lambda panel: panel.bars(["first", "second"], [2, 1], ["2", "1"], ["off", "light"]),
    ).axis
    assert [text.get_text() for text in axis.get_yticklabels()] == ["first", "second"]
    low, high = axis.get_ylim()
    assert low > high


def test_marks_and_dashes_tell_things_apart() -> None:
    assert mark_of("unheard of") == "o"
    assert dash_of("light") == "-"
    assert dash_of("onnxruntime") == dash_of("unheard of") == "--"
    assert set(MARKS) >= set(THINGS)
