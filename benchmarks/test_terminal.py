"""The recorded terminal: what stands in the docs, small, and without anything from elsewhere."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree

import pytest

from benchmarks.tables import ROOT
from benchmarks.terminal import PICTURES, TEXT, TITLE, WIDTH, picture, summary_of
from rasa_tokprune.errors import ConfigError

LOG = f"""2026-01-01 00:00:00 INFO     a.b  - Starting
2026-01-01 00:00:01 INFO     a.b  - {TITLE}
  learned  3 examples
  plan     light
2026-01-01 00:00:02 INFO     a.b  - Finished
"""


def text_of(svg: str) -> str:
    root = ElementTree.fromstring(svg)
    return "".join("".join(each.itertext()) for each in root.iter() if each.tag.endswith("text"))


def test_the_summary_is_cut_out_of_the_log() -> None:
    assert summary_of(LOG) == [TITLE, "  learned  3 examples", "  plan     light"]
    with pytest.raises(ConfigError, match="holds no line"):
        summary_of("nothing")


@pytest.mark.parametrize("theme", PICTURES)
def test_a_picture_holds_the_text_in_the_readers_font(theme: str) -> None:
    svg = picture("plain \x1b[32mgreen\x1b[0m <b> & 'it'\n", theme)
    shown = html.unescape(text_of(svg)).replace("\u00a0", " ")
    assert shown.strip() == "plain green <b> & 'it'"
    assert "@font-face" not in svg
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]


@pytest.mark.parametrize(("theme", "name"), PICTURES.items())
def test_the_docs_hold_what_was_recorded(theme: str, name: str) -> None:
    text = (ROOT / "docs" / TEXT).read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert text.startswith("$ rasa train nlu\n")
    assert "$ rasa-tokprune explain" in text
    svg = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert len(svg.encode()) < 60_000
    shown = html.unescape(text_of(svg))
    assert "".join(shown.split()) == "".join(text.split())
