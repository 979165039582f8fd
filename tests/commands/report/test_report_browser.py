"""The page in a browser: it works by mouse and keyboard, in both themes, on a phone, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Iterator, List, Tuple

import pytest

from rasa_tokprune.cli import main
from tests.bots_on_disk import write_nlu
from tests.commands.report.conftest import INTENTS, LOG, TEST
from tests.plans import write_plan

sync_api = pytest.importorskip("playwright.sync_api")

CHROMIUM = Path("/usr/bin/chromium")
PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason="chromium is not installed"),
]
# Opens a page of some size and theme; what went wrong is in the list.
Open = Callable[..., Tuple[Any, List[str]]]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def path(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a page with every part, of a bot with hostile messages; made once."""
    folder = tmp_path_factory.mktemp("browser")
    log = folder / "log.txt"
    log.write_text("\n".join(LOG), encoding="utf-8")
    nlu = write_nlu(folder / "coffee bot" / "nlu.yml", INTENTS)
    arguments = [
        "report", str(nlu), "--model", str(tiny_bert), "--out", str(folder / "report.html"),
        "--test", str(write_nlu(folder / "test.yml", TEST)), "--log", str(log),
        "--against", str(write_plan(folder / "plan.json")), "--cache", str(folder), "--quiet",
    ]  # fmt: skip
    assert main(arguments) == 0
    return folder / "report.html"


@pytest.fixture
def open_page(browser: Any, path: Path) -> Open:

    def show(viewport: Any = DESKTOP, theme: str = "light") -> Tuple[Any, List[str]]:
        context = browser.new_context(viewport=viewport, color_scheme=theme)
        page, problems = context.new_page(), []
        page.on("console", lambda message: problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "request", lambda request: request.url == path.as_uri() or problems.append(request.url)
        )
        page.goto(path.as_uri())
        page.wait_for_selector("#messages-list li")
        return page, problems

    return show


def rows(page: Any, selector: str) -> int:
    return int(page.locator(f"{selector}:visible").count())


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_nothing_goes_wrong_and_nothing_leaves_the_page(
    open_page: Open, viewport: Any, theme: str
) -> None:
    page, problems = open_page(viewport, theme)
    for details in page.locator("summary").all():
        if not details.evaluate("each => each.parentElement.open"):
            details.click()
    assert problems == []
    assert page.title() == "coffee bot: bot report"  # no message of the bot changed it
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("[data-chart] svg").count() == 3
    outside = page.evaluate(
        "[...document.querySelectorAll('[data-chart] svg text')].filter(text => {"
        " const own = text.getBoundingClientRect();"
        " const all = text.closest('svg').getBoundingClientRect();"
        " return own.top < all.top - 5 || own.left < all.left - 5 || own.right > all.right + 5; })"
        ".map(text => text.textContent)"
    )
    assert outside == []
    assert page.locator("main img, main script, main b").count() == 0
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground == ("rgb(255, 255, 255)" if theme == "light" else "rgb(13, 17, 23)")


def test_the_theme_can_be_chosen(open_page: Open) -> None:
    page, _ = open_page(theme="light")
    button = page.get_by_role("button", name="Theme: automatic")
    button.click()
    page.get_by_role("button", name="Theme: light").click()
    page.get_by_role("button", name="Theme: dark").wait_for()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 17, 23)"


def test_intents_are_filtered_and_sorted(open_page: Open) -> None:
    page, _ = open_page()
    assert rows(page, "#table-intents tbody tr") == 5
    page.locator("#intents-search").fill("ALON")
    assert rows(page, "#table-intents tbody tr") == 1
    assert "1 of 5" in page.locator(".controls[data-for=table-intents] output").inner_text()
    page.locator("#intents-search").fill("")
    page.get_by_role("button", name="Examples").first.click()
    counts = page.locator("#table-intents tbody tr td:nth-child(2)").all_inner_texts()
    assert counts == ["1", "4", "7", "7", "7"]
    assert page.locator("#table-intents th[aria-sort=ascending]").inner_text() == "Examples"
    page.get_by_role("button", name="Examples").first.click()
    counts = page.locator("#table-intents tbody tr td:nth-child(2)").all_inner_texts()
    assert counts == ["7", "7", "7", "4", "1"]
    page.get_by_label("Only F1 below 70%").check()
    assert "alone" in page.locator("#table-intents tbody tr:visible").all_inner_texts()[-1]


def test_messages_are_found_by_text_group_and_source(open_page: Open) -> None:
    page, _ = open_page()
    page.locator("#messages-search").fill("of a user")
    assert rows(page, "#messages-list li") == 2
    page.get_by_label("From").select_option("test")
    assert rows(page, "#messages-list li") == 0
    page.locator("#messages-search").fill("")
    n_test = rows(page, "#messages-list li")
    assert 0 < n_test <= 3
    assert page.locator("#messages-list .token").first.get_attribute("title")
    page.get_by_label("From").select_option("")
    page.get_by_role("button", name="Show 10 more").first.click()
    assert rows(page, "#messages-list li") > 10


def test_everything_is_reached_by_keyboard(open_page: Open) -> None:
    page, _ = open_page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    reached = set()
    for _ in range(120):
        page.keyboard.press("Tab")
        found = page.evaluate(
            "(() => { const it = document.activeElement; const style = getComputedStyle(it);"
            " return [it.id || it.textContent.trim().slice(0, 30), style.outlineStyle,"
            " it.tagName]; })()"
        )
        reached.add(found[0])
        # Whatever has the focus shows it.
        assert found[1] != "none" or found[2] == "BODY", found
    assert {"intents-search", "intents-weak", "messages-search", "messages-group"} <= reached
    assert "The same as a table" in reached
    page.locator("#plans summary").focus()
    page.keyboard.press("Enter")
    assert page.locator("#plans details").evaluate("each => each.open")


def test_every_control_and_chart_has_a_name(open_page: Open) -> None:
    page, _ = open_page()
    for selector in ("input", "select", "[role=img]", "[role=region]", "nav", "[role=search]"):
        for element in page.locator(selector).all():
            name = element.evaluate(
                "it => it.getAttribute('aria-label') || (it.labels && it.labels[0]?.textContent)"
            )
            assert name, selector
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map(each => each.id)")
    assert len(ids) == len(set(ids))
    for link in page.locator("a[href^='#']").all():
        assert link.get_attribute("href")[1:] in ids


def test_a_link_opens_the_kind_of_finding_it_leads_to(open_page: Open) -> None:
    page, _ = open_page()
    page.evaluate("location.hash = '#finding-few'")
    page.wait_for_function("document.getElementById('finding-few').open")
    assert "alone" in page.locator("#finding-few").inner_text()


def test_the_page_prints_on_white(open_page: Open) -> None:
    page, _ = open_page(theme="dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("nav.parts").is_visible()
