"""Tokens become padded arrays and come back as they were."""

from __future__ import annotations

import numpy as np

from rasa_tokprune.encoder.padded import pad, unpad
from rasa_tokprune.encoder.tokens import Tokens

LONG = Tokens(np.array([1, 5, 6, 2]), np.array([True, False, False, True]), ())
SHORT = Tokens(np.array([1, 2]), np.array([True, True]), ())


def test_by_hand() -> None:
    arrays = pad([LONG, SHORT], 9)
    assert arrays["input_ids"].tolist() == [[1, 5, 6, 2], [1, 2, 9, 9]]
    assert arrays["attention_mask"].tolist() == [[1, 1, 1, 1], [1, 1, 0, 0]]
    assert arrays["special_tokens_mask"].tolist() == [[1, 0, 0, 1], [1, 1, 0, 0]]
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.int64)}


def test_there_and_back() -> None:
    for own, back in zip((LONG, SHORT), unpad(pad([LONG, SHORT], 9), n_prompt=3)):
        np.testing.assert_array_equal(back.ids, own.ids)
        np.testing.assert_array_equal(back.is_special, own.is_special)
        assert back.n_prompt == min(3, len(own))


def test_no_text() -> None:
    assert pad([], 0)["input_ids"].shape == (0, 0)
    assert unpad(pad([], 0)) == []
