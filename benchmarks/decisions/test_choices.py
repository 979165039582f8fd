"""Settings are chosen by a rule; the package has what was chosen."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np
import pytest

from benchmarks.decisions import choices, drawn_bots
from benchmarks.decisions.choice_options import (
    CONFIDENCE_CHOICES,
    LEXICAL_CHOICES,
    SCORE_CHOICES,
    Choice,
)
from benchmarks.decisions.tables import PRIOR, choices_table
from benchmarks.decisions.variants import WithLead
from benchmarks.rows import read_rows
from rasa_tokprune.fewshot import Messages
from rasa_tokprune.fewshot.answer import best_answer
from rasa_tokprune.fewshot.calibration.confidence import _PRIOR

# Rows by file, and the choices they decided.
MEASURED = {
    "choices.jsonl": (*SCORE_CHOICES, *CONFIDENCE_CHOICES),
    "lexical.jsonl": LEXICAL_CHOICES,
}


def rows_of(file: str) -> List[Dict[str, Any]]:
    return read_rows(Path(__file__).with_name(file))


def entries(*values: float) -> List[Dict[str, float]]:
    return [{"x": value} for value in values]


@pytest.mark.parametrize(
    ("simple", "elaborate", "is_lower_better", "taken"),
    [
        ([0.5, 0.5, 0.5], [0.7, 0.7, 0.7], False, "elaborate"),
        ([0.5, 0.5, 0.5], [0.7, 0.7, 0.7], True, "simple"),
        # Better by 0.1 on average, with a standard error of 0.1: not surely better.
        ([0.5, 0.5, 0.5], [0.7, 0.4, 0.7], False, "simple"),
    ],
)
def test_the_first_within_one_standard_error_is_taken(
    simple: List[float], elaborate: List[float], is_lower_better: bool, taken: str
) -> None:
    choice = Choice("any", "x", is_lower_better, {"simple": {}, "elaborate": {}})
    measured = {"simple": entries(*simple), "elaborate": entries(*elaborate)}
    assert choices.take(choice, measured, ["a", "a", "a"]) == taken


def test_the_worst_kind_of_bot_can_decide() -> None:
    measured = {"even": entries(0.5, 0.5, 0.5, 0.5), "uneven": entries(0.2, 0.2, 0.9, 0.9)}
    kinds = ["a", "a", "b", "b"]
    choice = Choice("any", "x", False, {"uneven": {}, "even": {}}, by_worst=True)
    assert choices.take(choice, measured, kinds) == "even"
    by_mean = Choice("any", "x", False, {"even": {}, "uneven": {}})
    assert choices.take(by_mean, measured, kinds) == "even", "within one standard error"


@pytest.mark.parametrize(("file", "chosen"), MEASURED.items())
def test_the_package_has_what_was_chosen(file: str, chosen: Sequence[Choice]) -> None:
    for place, value in choices.chosen_settings(rows_of(file), chosen).items():
        module, name = place.split(":")
        if isinstance(value, WithLead):
            assert value.weight == 0, "chosen, but not built in"
        else:
            assert getattr(importlib.import_module(module), name) == value


def test_the_package_has_the_prior_that_was_fitted() -> None:
    (prior,) = [row for row in rows_of("choices.jsonl") if row["choice"] == PRIOR]
    assert _PRIOR.tolist() == [prior["slope"], prior["intercept"]]


@pytest.mark.parametrize(("file", "chosen"), MEASURED.items())
def test_each_choice_follows_the_rule(file: str, chosen: Sequence[Choice]) -> None:
    rows = rows_of(file)
    assert {row["choice"] for row in rows} - {PRIOR} == {choice.name for choice in chosen}
    for choice in chosen:
        measured: Dict[str, List[Dict[str, Any]]] = {}
        for row in rows:
            if row["choice"] == choice.name:
                measured.setdefault(row["option"], []).append(row)
        (recorded,) = {r["option"] for own in measured.values() for r in own if r["is_chosen"]}
        kinds = [row["sampling"] for row in next(iter(measured.values()))]
        assert choices.take(choice, measured, kinds) == recorded


def test_settings_change_what_is_measured_and_are_put_back() -> None:
    rng = np.random.default_rng(0)
    labels, answers = ([f"intent_{n % 8}" for n in range(size)] for size in (48, 80))
    centres = rng.normal(size=(8, 16))
    embeddings, query = (
        np.tile(centres, (size, 1)) + rng.normal(size=(8 * size, 16)) for size in (6, 10)
    )
    own, asked, strangers = map(Messages, (embeddings, query, query[:5]))
    bot = drawn_bots.DrawnBot("t", "s", 0, own, labels, {}, asked, answers, strangers)
    plain = choices.measure({}, bot)
    other = choices.measure({"rasa_tokprune.fewshot.head:_COSINE_WEIGHT": 40.0}, bot)
    assert plain["oos_auroc"] != other["oos_auroc"]
    assert choices.measure({}, bot) == plain


@pytest.mark.parametrize("sampling", drawn_bots.SAMPLINGS)
def test_drawn_bots_share_no_message_with_their_queries(sampling: str) -> None:
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(200, 8)).astype(np.float32)
    labels = np.array([f"intent_{number % 20}" for number in range(200)])
    messages = Messages(embeddings, [f"text {number}" for number in range(200)])
    bot = drawn_bots._draw("any", sampling, 0, messages, labels, {})
    parts = (bot.support, bot.query, bot.strangers)
    text_of = dict(zip(map(tuple, embeddings.tolist()), messages.texts or ()))
    for part in parts:
        assert part.texts == [text_of[tuple(row)] for row in part.embeddings.tolist()]
    rows = [{tuple(row) for row in part.embeddings} for part in parts]
    assert all(rows[2] for _ in rows)
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert not rows[1] & rows[2]
    assert set(bot.answers) <= set(bot.labels)
    n_out = 12 if sampling == "few intents" else 3
    assert len(rows[2]) == 10 * n_out, "of 20 intents"
    if sampling == "merged":
        assert len(set(bot.labels)) < 17


def test_a_lead_over_the_second_counts_by_its_weight() -> None:
    scores, in_scope = np.array([1.0, 4.0, 3.5]), np.array([0.0, 7.0, 1.0])
    plain = best_answer(scores, in_scope, ())
    assert WithLead(0.0)(scores, in_scope, ()) == plain
    assert WithLead(2.0)(scores, in_scope, ()).in_scope == pytest.approx(plain.in_scope + 1.0)


def test_the_table_shows_what_was_taken() -> None:
    last = CONFIDENCE_CHOICES[-1]
    measures = {"accuracy": 0.9, "oos_auroc": 0.8, "ece": 0.04, "right_rejection": 0.05}
    measures.update(rejection_error=0.01, oos_recall=0.5, n_near_point=4, n_right_near_point=3)
    own = {"choice": last.name, "decides": "ece", **measures}
    rows = [
        {"choice": PRIOR, "slope": 1.0, "intercept": 0.0},
        {**own, "option": "never", "is_chosen": False},
        {**own, "option": "40", "is_chosen": True},
    ]
    lines = choices_table(rows).splitlines()
    cells = "90.0 | 0.800 | **0.040** | 5.0 | 1.0 | 50.0"
    assert lines[2:4] == [f"| {last.name} | {o} | {cells} |" for o in ("never", "**40**")]
    assert lines[-1] == "Of the answers near the operating point 75% are right."
