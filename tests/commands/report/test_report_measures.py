"""What a report measures, by hand."""

from __future__ import annotations

from typing import List, Optional

import pytest

from rasa_tokprune.commands.report.answers import Answer
from rasa_tokprune.commands.report.measures.changes import changes
from rasa_tokprune.commands.report.measures.confidence import measure_trust
from rasa_tokprune.commands.report.measures.differences import compare
from rasa_tokprune.commands.report.measures.findings import Findings, IntentRow
from rasa_tokprune.commands.report.measures.messages import choose
from rasa_tokprune.commands.report.measures.plans import PlanPoint
from rasa_tokprune.commands.report.measures.robustness import Kind
from rasa_tokprune.commands.report.summary import Measured, good_points, next_steps
from rasa_tokprune.commands.report.wording import headings


def answer(
    text: str,
    intent: Optional[str],
    predicted: Optional[str],
    confidence: float,
    source: str = "test",
) -> Answer:
    return Answer(text, source, intent, predicted, confidence, confidence >= 0.5)


ANSWERS = [
    answer("a", "pay", "pay", 0.9),
    answer("b", "pay", "send", 0.8),
    answer("c", "send", "send", 0.4),
    answer("d", "oos", "pay", 0.3),
    answer("e", "oos", "oos", 0.7),
]


def test_trust_counts_messages_in_scope_and_out_of_scope_apart() -> None:
    trust = measure_trust(ANSWERS, ["oos"], {}, is_held_out=False)
    assert trust is not None
    assert (trust.n_messages, trust.n_oos) == (3, 2)
    assert trust.accuracy == pytest.approx(2 / 3)
    # Two of three reach 0.5, and one of these two is right.
    assert trust.answered == pytest.approx(2 / 3)
    assert trust.right_of_answered == 0.5
    # 'd' is below, 'e' is known as out of scope; both are less in scope than any other.
    assert trust.oos_rejected == 1.0
    assert trust.oos_auroc == 1.0
    # 0.9 right, 0.8 wrong, 0.4 right: gaps 0.1, 0.8, 0.6, a third each.
    assert trust.ece == pytest.approx(0.5)
    assert sum(entry["count"] for entry in trust.bins) == 3


def test_no_trust_without_labelled_messages() -> None:
    assert measure_trust([], [], {}, is_held_out=True) is None


def test_left_out_intents_stand_in_where_nothing_is_out_of_scope() -> None:
    curve = [{"threshold": n / 100, "out_of_scope_recall": n / 100} for n in range(101)]
    training = {"oos_auroc": 0.8, "oos_auroc_from": "intents left out", "curve": curve}
    trust = measure_trust(ANSWERS[:3], [], training, is_held_out=True)
    assert trust is not None
    assert (trust.oos_auroc, trust.oos_from) == (0.8, "intents left out")
    assert trust.oos_rejected == 0.5
    assert trust.curve[25]["out_of_scope_recall"] == 0.25


def test_changes_of_a_message() -> None:
    made = {name: change("Where's my Parcel?") for name, change in changes("Hi! {} Bye").items()}
    assert made["lower case"] == "where's my parcel?"
    assert made["upper case"] == "WHERE'S MY PARCEL?"
    assert made["no punctuation"] == "Where's my Parcel"
    assert made["politeness"] == "Hi! Where's my Parcel? Bye"
    slips = made["typing slips"]
    assert slips != "Where's my Parcel?"
    assert abs(len(slips) - len("Where's my Parcel?")) <= 2


@pytest.mark.parametrize("text", ["?", "a", "\ud800", "{}", "_"])
def test_changes_leave_no_message_blank(text: str) -> None:
    for change in changes("{}").values():
        assert bool(change(text).strip()) == bool(text.strip())


def test_differences_are_those_of_what_the_bot_does() -> None:
    second = [
        answer("a", "pay", "pay", 0.4),  # falls back now: worse
        answer("b", "pay", "pay", 0.8),  # better
        answer("c", "send", "pay", 0.1),  # falls back, as before
        answer("d", "oos", "oos", 0.9),  # fell back, and is known now: right either way
        answer("e", "oos", "send", 0.7),  # worse
    ]
    found = compare(ANSWERS, second, ["oos"], "other", "messages")
    assert (found.n_messages, found.n_changed) == (5, 4)
    assert {row["text"]: row["verdict"] for row in found.rows} == {
        "a": "worse", "b": "better", "d": "other", "e": "worse",
    }  # fmt: skip
    assert (found.right_before, found.right_after) == (3, 2)
    of_pay = next(entry for entry in found.by_intent if entry["intent"] == "pay")
    assert (of_pay["n"], of_pay["n_changed"], of_pay["most_often"]) == (1, 1, "nlu_fallback")
    fallback = next(entry for entry in found.by_intent if entry["intent"] == "nlu_fallback")
    assert (fallback["n"], fallback["n_changed"], fallback["most_often"]) == (2, 1, "oos")


def test_wrong_answers_come_first_the_surest_of_them_leading() -> None:
    answers = [
        answer("right", "pay", "pay", 0.9),
        answer("wrong", "pay", "send", 0.6),
        answer("very wrong", "pay", "send", 0.9),
        answer("unsure", "pay", "pay", 0.4),
        answer("nothing", "pay", None, 0.0),
        answer("user", None, "pay", 0.3, "log"),
    ]
    chosen = [(group, each.text) for group, each in choose(answers)]
    assert chosen == [
        ("wrong", "very wrong"), ("wrong", "wrong"), ("unsure", "unsure"), ("unsure", "user"),
        ("sample", "right"),
    ]  # fmt: skip


def point(plan: str, gain: float, *, is_chosen: bool = False, p50_ms: float = 1.0) -> PlanPoint:
    return PlanPoint(plan, is_chosen, 0.9 + gain, 400, gain, 0.01, p50_ms, 2.0, 0.5)


def measured(**changed: object) -> Measured:
    counts = dict.fromkeys(
        ("contradictions", "suspicious_labels", "near_duplicates", "duplicates", "outliers"), 0
    )
    fields = {
        "trust": measure_trust([answer("a", "pay", "pay", 0.95)] * 20, [], {}, is_held_out=False),
        "plans": [point("off", 0.0, p50_ms=2.0), point("light", 0.0, is_chosen=True)],
        "findings": Findings([IntentRow("pay", 9, 1.0, None, "", 0, False)], [], {}, counts),
        "robustness": [Kind("lower case", 9, 1.0, 1.0, 1.0, [])],
        "has_oos": True,
        **changed,
    }
    return Measured(**fields)  # type: ignore[arg-type]


def texts_of(sentences: List) -> str:
    return "\n".join(sentence.text for sentence in sentences)


def test_a_good_bot_has_nothing_to_do() -> None:
    assert next_steps(measured()) == []
    said = texts_of(good_points(measured()))
    assert "100.0% of 20 messages" in said
    assert "Plan light encodes a message in 1.00 ms, un-pruned it takes 2.00 ms" in said
    assert "No message stands in two intents" in said


def test_what_concerns_most_messages_comes_first_and_three_things_are_enough() -> None:
    counts = {"contradictions": 1, "suspicious_labels": 30, "near_duplicates": 0}
    findings = Findings(
        [IntentRow("few", 2, 0.5, None, "pay", 1, False)],
        [{"intent": "pay", "other": "send", "n": 6, "back": 2}],
        {},
        {**counts, "duplicates": 0, "outliers": 0},
    )
    steps = next_steps(measured(findings=findings, has_oos=False))
    assert [step.section for step in steps] == [
        "finding-suspicious_labels", "confused", "finding-contradictions",
    ]  # fmt: skip
    assert "one is taken for the other 8 times" in steps[1].text


def test_a_plan_that_is_better_by_more_than_chance_is_named() -> None:
    plans = [point("off", 0.03), point("light", 0.0, is_chosen=True)]
    assert "Consider plan off: it answers 3.0 points more" in texts_of(
        next_steps(measured(plans=plans))
    )
    plans = [point("off", 0.005), point("light", 0.0, is_chosen=True)]
    assert next_steps(measured(plans=plans)) == []


def test_headings_say_what_to_see() -> None:
    plans = [point("light", 0.0, is_chosen=True), point("fast", -0.05, p50_ms=0.5)]
    found = headings(None, plans, [Kind("upper case", 5, 0.8, 1.0, 0.8, [])], None)
    assert found == {
        "plans": "Plan light, the bot's own, takes 1.00 ms for a message and gets 90.0% right; "
        "plan fast takes 0.50 ms and gets 5.0 points fewer",
        "robustness": "Upper case changes most: 80.0% of the answers stay",
    }
