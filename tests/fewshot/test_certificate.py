"""Certificates: the bound, the order of the tests, the answers compared."""

from __future__ import annotations

from typing import Callable

import numpy as np
import pytest
from scipy.stats import binom

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import Messages
from rasa_tokprune.fewshot.certificate import (
    Certificate,
    answers_of,
    count_flips,
    fit_head,
    flip_bound,
    least_messages,
    out_of_fold_answers,
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
        "plan 'balanced' changes 11 of 1000 answers, with 95% confidence at most 1.81% "
        "(within the limit of 2.00%)"
    )
    assert certificate("fast", 40).to_dict() == {
        "plan": "fast",
        "n_messages": 1000,
        "n_flips": 40,
        "max_flip_rate": 0.02,
        "bound": flip_bound(40, 1000),
        "holds": False,
    }


@pytest.mark.parametrize(("n_messages", "n_flips", "rate"), [(5, 6, 0.1), (5, 1, 0), (5, 1, 1.0)])
def test_impossible_numbers_are_refused(n_messages: int, n_flips: int, rate: float) -> None:
    with pytest.raises(ConfigError):
        Certificate("any", n_messages, n_flips, rate)


def test_the_same_embeddings_never_flip(around: Callable) -> None:
    embeddings, labels = around(12, 6, noise=1.7)
    answers = out_of_fold_answers(Messages(embeddings), labels)
    again = out_of_fold_answers(Messages(embeddings.copy()), labels)
    found = count_flips("same", answers, again, 0.02)
    assert (found.n_flips, found.n_messages) == (0, 72)


def test_an_answer_does_not_know_its_own_message(around: Callable) -> None:
    embeddings, labels = around(6, 6, noise=0.5)
    wrong = labels.index("intent_000")
    relabelled = ["intent_003" if row == wrong else label for row, label in enumerate(labels)]
    answers = out_of_fold_answers(Messages(embeddings), relabelled)
    assert answers[wrong] == "intent_000", "its neighbours say so, its own label does not"
    lone = [*labels[:-1], "alone"]
    assert out_of_fold_answers(Messages(embeddings), lone)[-1] is None


def test_more_noise_flips_more(around: Callable) -> None:
    embeddings, labels = around(12, 8, noise=1.5)
    names = {"intent_000": embeddings[0], "absent": embeddings[1]}
    reference = out_of_fold_answers(Messages(embeddings), labels, labels, names)
    rng = np.random.default_rng(1)
    rates = []
    for scale in (0.02, 0.3, 1.0):
        noise = rng.normal(size=embeddings.shape) * scale * embeddings.std()
        served = out_of_fold_answers(Messages(embeddings + noise), labels, labels, names)
        rates.append(count_flips("noisy", reference, served, 0.02).n_flips)
    assert rates[0] < rates[1] < rates[2]


def test_queries_beside_the_support_set(around: Callable) -> None:
    embeddings, labels = around(5, 5, noise=0.3)
    own = Messages(embeddings)
    queries, expected = around(5, 3, noise=0.3, draw=1)
    assert answers_of(*fit_head(own, labels), Messages(queries)) == expected
    assert answers_of(*fit_head(own, labels, labels, {}), Messages(queries[:0])) == []


def test_answers_to_other_messages_are_not_compared() -> None:
    with pytest.raises(ConfigError, match="2 answers cannot be compared with 1 of plan 'light'"):
        count_flips("light", ["a", "b"], ["a"], 0.02)
