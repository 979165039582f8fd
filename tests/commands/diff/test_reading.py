"""What a parse comes to, and how two readings differ."""

from __future__ import annotations

from typing import Any

import pytest

from rasa_tokprune.commands.diff.reading import Reading, reading_of
from rasa_tokprune.fewshot.certificate.outcome import FALLBACK
from tests.commands.asked import parse_of

CITY = {"entity": "city", "start": 5, "end": 9, "value": "Rome", "extractor": "A", "confidence": 1}


@pytest.mark.parametrize(
    ("parse", "threshold", "expected"),
    [
        (parse_of("a", "greet", 0.9), 0.5, Reading("greet", "greet", 0.9)),
        (parse_of("a", "greet", 0.5), 0.5, Reading("greet", "greet", 0.5)),
        (parse_of("a", "greet", 0.4), 0.5, Reading(FALLBACK, "greet", 0.4)),
        # Its FallbackClassifier let it pass.
        (parse_of("a", "greet", 0.4), None, Reading("greet", "greet", 0.4)),
        (parse_of("a", "greet", 0.0), 0.0, Reading("greet", "greet", 0.0)),
        # What Rasa gives for a fallback is its threshold; the best intent stands below it.
        (parse_of("a", FALLBACK, 0.5, below=[("bye", 0.3)]), None, Reading(FALLBACK, "bye", 0.3)),
        (parse_of("a", FALLBACK, 0.5), None, Reading(FALLBACK, None, 0.0)),
        ({"intent": {"name": None, "confidence": 0.0}}, 0.0, Reading(FALLBACK, None, 0.0)),
        (parse_of("a", "faq", 0.9, answer="faq/x"), 0.5, Reading("faq", "faq", 0.9, (), "faq/x")),
        (parse_of("a", "faq", 0.1, answer="faq/x"), 0.5, Reading(FALLBACK, "faq", 0.1)),
    ],
)
def test_what_a_parse_comes_to(parse: Any, threshold: Any, expected: Reading) -> None:
    assert reading_of(parse, threshold) == expected


def test_who_found_an_entity_is_no_difference() -> None:
    other = {**CITY, "extractor": "B", "confidence": 0.5}
    old, new = (reading_of(parse_of("a", "x", entities=[each]), None) for each in (CITY, other))
    assert old.changes(new) == []
    moved = reading_of(parse_of("a", "x", entities=[{**CITY, "role": "to"}]), None)
    assert old.changes(moved) == ["entities"]
    both = [{**CITY, "start": 0}, CITY]
    first, second = (reading_of(parse_of("a", "x", entities=e), None) for e in (both, both[::-1]))
    assert first == second


def test_how_readings_differ() -> None:
    old = Reading("faq", "faq", 0.9, (), "faq/when")
    assert old.changes(Reading("faq", "faq", 0.2, (), "faq/when")) == []
    assert old.changes(Reading("faq", "faq", 0.9, (), "faq/where")) == ["answer"]
    # Where the action is another one, there is no answer to compare.
    assert old.changes(Reading("greet", "greet", 0.9)) == ["action", "intent"]
    assert old.changes(Reading(FALLBACK, "faq", 0.4)) == ["action"]


@pytest.mark.parametrize(
    ("reading", "label", "is_oos", "is_right"),
    [
        (Reading("greet", "greet", 1.0), "greet", False, True),
        (Reading("greet", "greet", 1.0), "bye", False, False),
        (Reading(FALLBACK, "greet", 0.1), "greet", False, False),
        (Reading(FALLBACK, "greet", 0.1), "nlu_fallback", False, True),
        (Reading(FALLBACK, "greet", 0.1), "out_of_scope", True, True),
        (Reading("out_of_scope", "out_of_scope", 0.9), "out_of_scope", True, True),
        (Reading("faq", "faq", 1.0, (), "faq/a"), "faq/a", False, True),
        (Reading("faq", "faq", 1.0, (), "faq/a"), "faq/b", False, False),
        (Reading("faq", "faq", 1.0, (), "faq/a"), "faq", False, True),
        # A model without a selector answers the intent alone.
        (Reading("faq", "faq", 1.0), "faq/b", False, True),
    ],
)
def test_what_is_right(reading: Reading, label: str, is_oos: bool, is_right: bool) -> None:
    assert reading.is_right(label, is_fallback_right=is_oos) is is_right
