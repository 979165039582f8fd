"""What the site's hook makes of documents."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from rasa_tokprune.palette import COLOURS, DARK, LIGHT
from tests.documents import documents
from tests.real_data import ROOT

# Of the dependency group `docs`; where it is missing there is no site to build.
PluginError = pytest.importorskip("mkdocs.exceptions").PluginError


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("site_hook", ROOT / ".ci" / "site_hook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def shown(hook: ModuleType, markdown: str, page: str = "index.md") -> str:
    file = SimpleNamespace(abs_src_path=str(ROOT / "docs" / page))
    return hook.on_page_markdown(markdown, SimpleNamespace(file=file))


def test_a_link_out_of_docs_becomes_a_path_of_the_repository(hook: ModuleType) -> None:
    assert shown(hook, "see [a bot](../example_bot).") == "see a bot (`example_bot/`)."
    assert shown(hook, "see [example_bot](../example_bot)") == "see `example_bot/`"
    assert shown(hook, "[README.md](../README.md#limits)") == "`README.md`"
    assert shown(hook, "[a](../../LICENSE)", "components/importer.md") == "a (`LICENSE`)"


@pytest.mark.parametrize(
    "text",
    [
        "[design](design.md#no-padding)",
        "[paper](https://arxiv.org/abs/2408.11799)",
        "![plot](accuracy.png)",
        "[below](#keys)",
        "```text\n[bot](../example_bot)\n- no list\n```\n",
    ],
)
def test_other_links_and_code_stay(hook: ModuleType, text: str) -> None:
    assert shown(hook, text) == text


def test_a_link_out_of_docs_has_to_lead_somewhere(hook: ModuleType) -> None:
    with pytest.raises(PluginError, match=r"index\.md links to \.\./nothing\.py"):
        shown(hook, "[nothing](../nothing.py)")


def test_a_list_needs_no_blank_line_before_it(hook: ModuleType) -> None:
    assert shown(hook, "Two things:\n- one\n- two\n") == "Two things:\n\n- one\n- two\n"
    assert shown(hook, "- one\n- two\n") == "- one\n- two\n"


def test_a_table_stands_alone_behind_its_comment(hook: ModuleType) -> None:
    assert shown(hook, "<!-- table:a -->\n| b |\n") == "<!-- table:a -->\n\n| b |\n"


def test_a_picture_follows_the_pages_colours(hook: ModuleType) -> None:
    picture = (
        '<picture>\n  <source media="(prefers-color-scheme: dark)" srcset="a-dark.png">\n'
        '  <img alt="A" src="a.png">\n</picture>'
    )
    assert shown(hook, picture) == (
        '<img alt="A" src="a.png#only-light"><img alt="A" src="a-dark.png#only-dark">'
    )


def test_every_diagram_is_drawn_and_no_other(hook: ModuleType) -> None:
    pages = [path for path in documents() if path.is_relative_to(ROOT / "docs")]
    sources = [source for path in pages for source in hook.diagrams_in(path.read_text("utf-8"))]
    drawn = set((ROOT / "docs" / "diagrams").glob("*.svg"))
    assert {hook.diagram_path(source) for source in sources} == drawn
    assert '<div class="diagram"><svg' in shown(hook, f"```mermaid\n{sources[0]}```\n")


def test_a_changed_diagram_has_to_be_drawn(hook: ModuleType) -> None:
    with pytest.raises(PluginError, match=r"run \.ci/draw_diagrams\.py"):
        shown(hook, "```mermaid\nflowchart LR\n  a --> b\n```\n")


def test_colours_are_the_palettes(hook: ModuleType) -> None:
    light, dark = hook.colours_css().split('[data-md-color-scheme="slate"]')
    for thing, colours in COLOURS.items():
        assert f"--tokprune-{thing}: {colours[LIGHT]};" in light
        assert f"--tokprune-{thing}: {colours[DARK]};" in dark
    assert Path(hook.DOCS, "site.css").is_file()
