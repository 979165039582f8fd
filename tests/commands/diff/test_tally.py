"""What changed, counted."""

from __future__ import annotations

import pytest
from scipy.stats import binom

from rasa_tokprune.commands.diff.log import Entry
from rasa_tokprune.commands.diff.reading import Reading
from rasa_tokprune.commands.diff.tally import Tally, gates_of, share_of
from rasa_tokprune.fewshot.certificate.outcome import FALLBACK

GREET, BYE = Reading("greet", "greet", 0.8), Reading("bye", "bye", 0.9)
UNSURE = Reading(FALLBACK, "greet", 0.3)


def test_messages_count_as_often_as_they_occur() -> None:
    tally = Tally(1)
    tally.add(Entry("hello", 6), GREET, GREET)
    tally.add(Entry("hey", 3), GREET, UNSURE)
    tally.add(Entry("so", 2), UNSURE, BYE)
    tally.add(Entry("ho", 1), GREET, UNSURE)
    found = tally.to_dict()
    assert (found["messages"], found["different_messages"]) == (12, 4)
    counts = {kind: share["messages"] for kind, share in found["changed"].items()}
    assert counts == {
        "action": 6, "intent": 2, "entities": 0, "answer": 0,
        "became_fallback": 4, "stopped_fallback": 2, "any": 6,
    }  # fmt: skip
    assert found["actions"] == [
        {"old": "greet", "new": FALLBACK, "messages": 4, "examples": ["hey"]},
        {"old": FALLBACK, "new": "bye", "messages": 2, "examples": ["so"]},
    ]
    by_intent = [(row["old"], row["messages"], row["of"]) for row in found["by_intent"]]
    assert by_intent == [("greet", 4, 10), (FALLBACK, 2, 2)]
    assert found["labels"] is None


def test_confidence_where_the_intent_stayed() -> None:
    tally = Tally(1)
    tally.add(Entry("a", 9), GREET, GREET)
    tally.add(Entry("b", 1), GREET, Reading("greet", "greet", 0.3))
    tally.add(Entry("c", 5), GREET, BYE)
    found = tally.to_dict()["confidence"]
    assert found["same_intent"] == 10
    assert found["mean_shift"] == pytest.approx(-0.05)
    assert found["median_shift"] == 0
    assert found["shift_5%"] == pytest.approx(-0.5)
    assert found["moved_over_0.1"] == 1


def test_the_interval_holds_what_is_likely() -> None:
    share = share_of(3, 100)
    # At each end so extreme a count has a chance of 2.5%, at the bound one of 5%.
    assert binom.sf(2, 100, share["low"]) == pytest.approx(0.025)
    assert binom.cdf(3, 100, share["high"]) == pytest.approx(0.025)
    assert binom.cdf(3, 100, share["bound"]) == pytest.approx(0.05)
    assert share_of(0, 10)["low"] == 0
    assert share_of(10, 10)["high"] == 1


def test_labels_say_which_is_right() -> None:
    tally = Tally(1)
    for count, old, new in ((5, True, True), (1, True, False), (4, False, True), (2, False, False)):
        tally.add(Entry(str(count), count, "x"), GREET, BYE)
        tally.add_label(Entry(str(count), count, "x"), is_old_right=old, is_new_right=new)
    found = tally.to_dict()["labels"]
    assert [found[kind] for kind in ("both", "lost", "gained", "neither")] == [5, 1, 4, 2]
    assert found["old_accuracy"] == 6 / 12
    assert found["new_accuracy"] == 9 / 12
    # Of five coins one or none, or four or five, fall on one side: (1 + 5) * 2 of 32.
    assert found["p_value"] == pytest.approx(12 / 32)
    assert tally.of("lost") == 1


def test_gates() -> None:
    tally = Tally(0)
    tally.add(Entry("a", 98), GREET, GREET)
    tally.add(Entry("b", 2), GREET, BYE)
    limits = [("action", 0.02), ("entities", 0.0), ("action", 0.019)]
    gates = gates_of(limits, tally, use_bound=False)
    assert [gate["passed"] for gate in gates] == [True, True, False]
    assert gates[0]["held"] == 0.02
    bounds = gates_of(limits, tally, use_bound=True)
    assert not any(gate["passed"] for gate in bounds)
    assert bounds[0]["held"] == share_of(2, 100)["bound"]
