"""Intents' names as words."""

from __future__ import annotations

from typing import List, Sequence

import numpy as np
import pytest

from rasa_tokprune.fewshot import embed_names, find_oos_labels, readable_name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("check_balance", "check balance"),
        ("check-balance", "check balance"),
        ("CheckBalance", "check balance"),
        ("checkBalance2Accounts", "check balance2 accounts"),
        ("FAQAnswer", "faq answer"),
        ("HTTP", "http"),
        ("faq/ask_openingHours", "faq ask opening hours"),
        ("thank+bye", "thank bye"),
        ("Öffnungszeiten_heute", "öffnungszeiten heute"),
        ("支払い_方法", "支払い 方法"),
        ("__", ""),
        ("12_3", ""),
    ],
)
def test_readable_name(name: str, words: str) -> None:
    assert readable_name(name) == words


def test_names_without_words_are_not_encoded() -> None:
    seen: List[str] = []

    def encode(texts: Sequence[str]) -> np.ndarray:
        seen.extend(texts)
        return np.arange(len(texts))[:, None] + np.ones(3)

    names = embed_names(["b_a", "17", "b_a", "faq/x"], encode)
    assert seen == ["b a", "faq x"]
    assert {key: vector.tolist() for key, vector in names.items()} == {
        "b_a": [1.0, 1.0, 1.0],
        "faq/x": [2.0, 2.0, 2.0],
    }
    assert embed_names(["1", "2"], encode) == {}


def test_out_of_scope_intents_are_found_by_name() -> None:
    labels = ["greet", "out_of_scope", "OutOfScope", "oos", "nlu_fallback", "scope", "greet"]
    found = ["OutOfScope", "nlu_fallback", "oos", "out_of_scope"]
    assert find_oos_labels(labels) == found
    assert find_oos_labels(["oos"]) == []
    assert find_oos_labels([]) == []
