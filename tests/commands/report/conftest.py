"""A bot with hostile messages, and its report."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, List

import pytest

from rasa_tokprune.cli import main
from tests.bots_on_disk import HELLO, OOS, REFUND, SHIPPING, write_nlu

# What a page must show and never obey.
HOSTILE = [
    "</script><script>document.title='taken'</script>",
    "<img src=x onerror=\"document.title='taken'\">",
    "\"'>&amp;<b>bold</b> {{ 7 * 7 }} ${7*7}",
    "\u202ehidden \u2067right to left\u2069 \u05e9\u05dc\u05d5\u05dd parcel",
    "parcel \U0001f4e6 \U0001f469\u200d\U0001f469\u200d\U0001f467 <!-- ]]>",
    "refund \x07\x1b[31m the \x9b order",
]
INTENTS = {
    "ask_shipping": [
        *SHIPPING,
        "has the parcel arrived",
        "I want my parcel",
        HOSTILE[3],
        HOSTILE[4],
    ],
    "refund": [*REFUND, "give me the money back", "money back", HOSTILE[0], HOSTILE[5]],
    "hello": [*HELLO, "hello", HOSTILE[1], HOSTILE[2], "money back"],
    "out_of_scope": [*OOS, "what is the weather", "tell me a joke"],
    "alone": ["only this one"],
}
TEST = {"ask_shipping": ["where is the secret parcel"], "refund": ["secretly refund me", OOS[0]]}
LOG = ["a parcel of a user", "hello from a user", HOSTILE[0], "a parcel\u2028of a user", "..."]


@pytest.fixture
def nlu(tmp_path: Path) -> Path:
    return write_nlu(tmp_path / "coffee bot" / "data" / "nlu.yml", INTENTS)


@pytest.fixture
def call(nlu: Path, tiny_bert: Path, tmp_path: Path) -> List[str]:
    """Returns a quick call of the command."""
    return [
        "report", str(nlu), "--model", str(tiny_bert), "--cache", str(tmp_path / "cache"),
        "--out", str(tmp_path / "report.html"), "--quiet",
    ]  # fmt: skip


@pytest.fixture
def more(plan_path: Path, tmp_path: Path) -> List[str]:
    """Returns options that fill every part of the page."""
    test = write_nlu(tmp_path / "test.yml", TEST)
    log = tmp_path / "log.txt"
    log.write_text("\n".join(LOG), encoding="utf-8")
    return ["--test", str(test), "--log", str(log), "--against", str(plan_path)]


@pytest.fixture
def report(call: List[str], tmp_path: Path) -> Callable[..., str]:
    """Returns a function: further options -> the page."""

    def make(*options: str) -> str:
        assert main([*call, *options]) == 0
        return (tmp_path / "report.html").read_text(encoding="utf-8")

    return make
