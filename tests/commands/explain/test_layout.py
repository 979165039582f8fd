"""What `explain` shows: bars, marks under tokens, words, whatever the message and the screen."""

from __future__ import annotations

from typing import Any, Dict, List

import pytest

from rasa_tokprune.commands.explain.layout import show_explanation
from rasa_tokprune.commands.screen import Screen

TRACK = {
    "intent": "track",
    "confidence": 0.75,
    "similarity": 0.812,
    "nearest_example": "where is\nmy order",
    "is_name": False,
    "score": 3.0,
    "from_embedding": 2.5,
    "from_words": 0.5,
    "words": [{"text": "parcel", "score": 0.4}, {"text": "my", "score": -0.1}],
}
DENY = {
    **TRACK,
    "intent": "deny",
    "confidence": 0.1,
    "nearest_example": "deny",
    "is_name": True,
    "from_words": 0.0,
    "words": [],
}


def explanation(**changes: Any) -> Dict[str, Any]:
    """Returns an explanation of 'where is my parcel?', two tokens of one word among them."""
    layers = {"where": None, "is": 2, "my": 10, "par": None, "cel": 2, "?": 10}
    return {
        "text": "where is  my parcel?",
        "intents": [TRACK, DENY],
        "is_accepted": True,
        "margin": 0.5,
        "plan": "light",
        "cost": 0.8,
        "readable": 1.0,
        "tokens": [{"text": text, "layer": layer} for text, layer in layers.items()],
        **changes,
    }


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str]) -> Any:
    """Returns a function: changes of the explanation -> its lines."""

    def show(width: int = 0, **changes: Any) -> List[str]:
        screen = Screen()
        if width:
            screen._out.width = width
        show_explanation(screen, explanation(**changes))
        return capsys.readouterr().out.splitlines()

    return show


def test_intents_have_bars_and_what_made_them(shown: Any) -> None:
    lines = shown()
    assert lines[0] == "where is my parcel?"
    assert lines[1] == "  intent     ###############.....  0.750  track"
    assert lines[2].strip() == "score 3.00: embedding +2.50, words +0.50"
    assert lines[3].strip() == "nearest example: 'where is my order', similarity 0.812"
    assert lines[4] == "  runner-up  ##..................  0.100  deny"
    assert lines[5].endswith("words +0.00 (none that examples hold)")
    assert lines[6].strip().startswith("nearest the intent's own name: 'deny'")
    assert lines[7] == "  in scope   yes, +0.50 to the operating point"


def test_marks_stand_under_their_tokens_and_do_not_run_into_each_other(shown: Any) -> None:
    lines = shown()
    place = next(number for number, line in enumerate(lines) if "tokens" in line)
    assert lines[place] == "  tokens     where is my parcel?"
    tokens, marks = lines[place], lines[place + 1]
    for token, mark in (("is", "2"), ("my", "10"), ("cel", "2"), ("?", "10")):
        assert marks[tokens.index(token) :].split()[0] == mark
    assert lines[place + 2].strip() == (
        "plan light, cost 0.80; a number under a token: pruned after that layer"
    )


def test_wide_characters_keep_their_marks(shown: Any) -> None:
    tokens = [{"text": "\u9000\u6b3e", "layer": None}, {"text": "please", "layer": 2}]
    lines = shown(text="\u9000\u6b3e please", tokens=tokens)
    place = next(number for number, line in enumerate(lines) if "tokens" in line)
    # Two characters, four columns.
    assert lines[place + 1].index("2") == lines[place].index("please") + 2


def test_narrow_screens_get_shorter_lines_of_tokens(shown: Any) -> None:
    words = [f"word{number}" for number in range(10)]
    tokens = [{"text": word, "layer": 2} for word in words]
    lines = shown(40, text=" ".join(words), tokens=tokens)
    assert max(map(len, lines[1:])) <= 40
    place = next(number for number, line in enumerate(lines) if "tokens" in line)
    # Four words of five letters in a line of 27, each line with its marks.
    assert [line.split()[-1] for line in lines[place : place + 5 : 2]] == [
        "word3",
        "word7",
        "word9",
    ]
    assert lines[place + 1].split() == ["2"] * 4


def test_words_say_what_they_added(shown: Any) -> None:
    rows = [line.split() for line in shown()[-3:]]
    assert rows[0] == ["word", "track", "deny"]
    assert rows[1] == ["parcel", "++++++++++", "+0.40"]
    assert rows[2] == ["my", "--", "-0.10"]


def test_without_a_lexical_view_there_are_no_words(shown: Any) -> None:
    text = "\n".join(shown(intents=[{**TRACK, "words": None, "from_words": None}]))
    assert "word" not in text
    assert "score" not in text


def test_nothing_pruned_needs_no_marks(shown: Any) -> None:
    lines = shown(text="hello", tokens=[{"text": "hello", "layer": None}], plan="off", cost=1.0)
    place = next(number for number, line in enumerate(lines) if "tokens" in line)
    assert lines[place + 1].strip() == "plan off, cost 1.00"


@pytest.mark.parametrize(("share", "is_said"), [(1.0, False), (0.5, True)])
def test_what_could_not_be_read_is_said(shown: Any, share: float, is_said: bool) -> None:
    line = "  readable   50% of the message, for the encoder"
    assert (line in shown(readable=share)) is is_said


def test_a_message_without_content(shown: Any) -> None:
    lines = shown(text=" ", intents=[], margin=None, is_accepted=False, tokens=[], readable=0.0)
    assert lines[0] == "(blank)"
    assert lines[1] == "  in scope  no: the message has no content"
    assert lines[2] == "  tokens    none"


def test_terminals_get_no_control_characters(shown: Any) -> None:
    evil = "a\x1b[31m\x9bb"
    entry = {
        **TRACK,
        "intent": evil,
        "nearest_example": evil,
        "words": [{"text": evil, "score": 1}],
    }
    lines = shown(text=evil, intents=[entry], tokens=[{"text": evil, "layer": 2}])
    assert not any("\x1b" in line or "\x9b" in line for line in lines)
    assert sum("a\\x1b[31m\\x9bb" in line for line in lines) == 6
