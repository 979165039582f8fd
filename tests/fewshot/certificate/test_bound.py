"""Certificates: the bound, the order of the tests, what counts as a flip."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.certificate import (
    Certificate,
    Outcome,
    count_flips,
    flip_bound,
    least_messages,
    take_plan,
)


@pytest.mark.parametrize(("n_flips", "n_messages"), [(0, 10), (3, 500), (40, 1000), (1, 2)])
def test_at_the_bound_so_few_flips_have_a_chance_of_one_in_twenty(
    n_flips: int, n_messages: int
) -> None:
    bound = flip_bound(n_flips, n_messages)
    assert binom.cdf(n_flips, n_messages, bound) == pytest.approx(0.05, abs=1e-9)


def test_bounds_by_hand() -> None:
    # No flip among n: (1 - p)^n = 0.05.
    assert flip_bound(0, 149) == pytest.approx(1 - 0.05 ** (1 / 149))
    assert flip_bound(0, 0) == 1.0
    assert flip_bound(7, 7) == 1.0
    assert least_messages(0.02) == 149
    assert flip_bound(0, least_messages(0.02)) <= 0.02 < flip_bound(0, least_messages(0.02) - 1)


def test_it_is_wrong_in_one_of_twenty_cases_at_most() -> None:
    rng = np.random.default_rng(0)
    rate = 0.03
    flips = rng.binomial(400, rate, size=4000)
    wrong = np.mean([flip_bound(int(n), 400) < rate for n in flips])
    assert wrong <= 0.05


def certificate(plan: str, n_flips: int, n_messages: int = 1000) -> Certificate:
    return Certificate(plan, n_messages, n_flips, 0.02)


def test_the_cheapest_plan_before_the_first_that_fails_is_taken() -> None:
    mild, more, most = certificate("mild", 2), certificate("more", 11), certificate("most", 40)
    assert [each.holds for each in (mild, more, most)] == [True, True, False]
    assert take_plan([mild, more, most]) == more
    assert take_plan([most, mild]) is None, "what comes after a failure is not looked at"
    assert take_plan([]) is None
    assert take_plan([certificate("few messages", 0, 100)]) is None


def test_its_line_has_the_numbers() -> None:
    assert str(certificate("balanced", 11)) == (
        "plan 'balanced' changes 11 of 1000 actions, with 95% confidence at most 1.81% "
        "(within the limit of 2.00%)"
    )
    assert certificate("fast", 40).to_dict() == {
        "plan": "fast",
        "n_messages": 1000,
        "n_flips": 40,
        "max_flip_rate": 0.02,
        "n_other_intents": None,
        "bound": flip_bound(40, 1000),
        "holds": False,
    }


@pytest.mark.parametrize(("n_messages", "n_flips", "rate"), [(5, 6, 0.1), (5, 1, 0), (5, 1, 1.0)])
def test_impossible_numbers_are_refused(n_messages: int, n_flips: int, rate: float) -> None:
    with pytest.raises(ConfigError):
        Certificate("any", n_messages, n_flips, rate)


def test_more_other_intents_than_messages_are_refused() -> None:
    with pytest.raises(ConfigError, match="6 of 5 messages cannot have another intent"):
        Certificate("any", 5, 0, 0.1, n_other_intents=6)


def test_only_a_change_of_action_is_a_flip() -> None:
    sure, unsure = Outcome("refund", True), Outcome("refund", False)
    pairs = [
        (sure, sure),
        (sure, Outcome("hello", True)),  # a flip, and another intent
        (sure, unsure),  # a flip: it falls back
        (unsure, sure),  # a flip: it no longer does
        (unsure, Outcome("hello", False)),  # another intent, but it falls back on both
        (Outcome("nlu_fallback", True), unsure),  # another intent, and the same fallback
        (None, sure),  # not asked
        (sure, None),
    ]
    found = count_flips("light", *zip(*pairs), 0.5)  # type: ignore[arg-type]
    assert (found.n_messages, found.n_flips, found.n_other_intents) == (6, 3, 3)
    assert str(found).endswith("(over the limit of 50.00%); another top intent in 3")


def test_answers_to_other_messages_are_not_compared() -> None:
    with pytest.raises(ConfigError, match="2 answers cannot be compared with 1 of plan 'light'"):
        count_flips("light", [None, None], [None], 0.02)
