"""Every picture of the documents: two themes, few lines, words at all of them, words around it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, List

import pytest

from benchmarks import tables
from benchmarks.conftest import Rows
from benchmarks.latency.plots import draw_latency, draw_shapes, draw_throughput
from benchmarks.plots import draw_both, path_in
from benchmarks.tables import QUESTIONS, Plot
from rasa_tokprune.palette import GROUNDS, THEMES
from rasa_tokprune.plots import picture
from rasa_tokprune.plots.panel import Panel
from tests.real_data import ROOT

MOST_LINES, MOST_POINTS, MOST_BYTES = 6, 10, 120_000
ALL = [(question, plot) for question in QUESTIONS for plot in tables.plots_of(question)]
DOCUMENTS = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
SHOWN = re.compile(
    r'<picture>\s*<source media="\(prefers-color-scheme: dark\)" srcset="([^"]+)">\s*'
    r'<img src="([^"]+)" width="\d+" alt="([^"]+)">\s*</picture>'
)


@pytest.fixture
def panels(monkeypatch: pytest.MonkeyPatch) -> List[Panel]:
    """Returns the panels that are drawn from now on."""
    drawn: List[Panel] = []

    def keep(axis: Any, theme: str) -> Panel:
        drawn.append(Panel(axis, theme))
        return drawn[-1]

    monkeypatch.setattr(picture, "Panel", keep)
    return drawn


def check_picture(path: Path, panels: List[Panel]) -> None:
    """Fails where a picture is not what a reader can take in."""
    from PIL import Image

    for theme in THEMES:
        own = path_in(path, theme)
        assert own.stat().st_size < MOST_BYTES
        with Image.open(own) as image:
            corner = image.convert("RGB").getpixel((0, 0))
        assert "#{:02x}{:02x}{:02x}".format(*corner) == GROUNDS[theme].paper
    for panel in panels:
        assert len(panel.words) <= (MOST_LINES if panel.curves else MOST_POINTS)
        assert all(panel.words), "a line without words"
        assert len(set(panel.words)) == len(panel.words)
        assert not any(":" in words for words in panel.words), "a name of rows, not words"
    assert {panel.theme for panel in panels} == set(THEMES)


@pytest.mark.thorough
@pytest.mark.parametrize(("question", "plot"), ALL, ids=[plot.path for _, plot in ALL])
def test_the_documents_pictures(
    question: str, plot: Plot, panels: List[Panel], tmp_path: Path
) -> None:
    path = tmp_path / Path(plot.path).name
    plot.draw(*tables.rows_of(question, plot.rows), path)
    check_picture(path, panels)


def test_pictures_of_engines(
    latency_rows: Rows,
    throughput_rows: Rows,
    shape_rows: Rows,
    panels: List[Panel],
    tmp_path: Path,
) -> None:
    draws = {draw_latency: latency_rows, draw_throughput: throughput_rows, draw_shapes: shape_rows}
    for draw, rows in draws.items():
        draw(rows, tmp_path / "made.png")
        check_picture(tmp_path / "made.png", panels)
    words = {each for panel in panels for each in panel.words}
    assert words == {"sentence-\ntransformers", "torch, fp32,\nafter layers 1, 3"}


def test_the_same_rows_make_the_same_bytes(latency_rows: Rows, tmp_path: Path) -> None:
    for name in ("one.png", "two.png"):
        draw_latency(latency_rows, tmp_path / name)
    for theme in THEMES:
        one, two = (path_in(tmp_path / name, theme) for name in ("one.png", "two.png"))
        assert one.read_bytes() == two.read_bytes()
    assert path_in(tmp_path / "one.png", "dark") == tmp_path / "one-dark.png"


def test_other_rows_make_another_picture(tmp_path: Path) -> None:
    for name, top in (("one.png", 1.0), ("two.png", 2.0)):
        draw_both(
            tmp_path / name,
            lambda panels, top=top: panels[0].line([0, 1], [0, top], thing="off", label="ours"),
            height=2,
        )
    assert (tmp_path / "one.png").read_bytes() != (tmp_path / "two.png").read_bytes()


def test_every_plot_is_shown_in_both_themes_and_in_words() -> None:
    shown = {}
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        for match in SHOWN.finditer(text):
            dark, light, alt = match.groups()
            assert path_in(Path(light), "dark") == Path(dark)
            assert (document.parent / dark).is_file()
            assert len(alt.split()) >= 12, f"{light}: the finding in words"
            before = text[: match.start()].rstrip().rsplit("\n\n", 1)[-1]
            assert before.endswith("."), f"{light}: a sentence above it says what to see"
            assert not before.startswith(("|", "<", "#"))
            shown[Path(light).name] = document
    plots = {Path(plot.path) for _, plot in ALL}
    assert {path.name for path in plots} <= set(shown)
    for path in plots:
        assert (ROOT / path).is_file()
        assert (ROOT / path_in(path, "dark")).is_file()
