"""Scoring, selecting, removing; numbers a reader can check by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rasa_tokprune.encoder.backends.torch.pruning import remove_rows, select_kept, token_importance
from rasa_tokprune.encoder.plans.plan import ThresholdKind


def select(importance: list[float], protected: list[int], threshold: float, **kind: object) -> str:
    is_protected = torch.zeros(1, len(importance), dtype=torch.bool)
    is_protected[0, protected] = True
    kept = select_kept(torch.tensor([importance]), is_protected, threshold, **kind)
    return "".join("x" if keep else "." for keep in kept[0].tolist())


def test_importance_is_the_mean_over_heads_and_queries() -> None:
    probabilities = torch.tensor([[[[0.5, 0.5], [0.1, 0.9]], [[1.0, 0.0], [0.4, 0.6]]]])
    assert token_importance(probabilities).tolist() == [[0.5, 0.5]]
    assert token_importance(probabilities[:, :1]).tolist() == [
        [pytest.approx(0.3), pytest.approx(0.7)]
    ]


def test_quantile_prunes_the_least_important_content_tokens() -> None:
    #                 CLS  a    b    c    d    e   SEP
    importance = [0.01, 0.2, 0.1, 0.4, 0.3, 0.5, 0.01]
    assert select(importance, [0, 6], 0.0) == "xxxxxxx"
    assert select(importance, [0, 6], 0.25) == "xx.xxxx"
    assert select(importance, [0, 6], 0.5) == "x..xxxx"
    assert select(importance, [0, 6], 0.99) == "x....xx"


def test_of_equally_important_tokens_the_earlier_stay() -> None:
    assert select([0.2] * 5, [], 0.5) == "xxx.."


def test_absolute_threshold_is_relative_to_uniform_attention() -> None:
    importance = [0.05, 0.3, 0.15, 0.5]
    kind = {"kind": ThresholdKind.ABSOLUTE, "seq_len": 4}
    assert select(importance, [0], 1.0, **kind) == "xx.x"  # below 1/4
    assert select(importance, [0], 100.0, **kind) == "x..x"  # the best content token stays


@pytest.mark.parametrize("length", [1, 2, 3])
def test_short_sentences_keep_protected_and_one_content_token(length: int) -> None:
    protected = [0, length - 1]
    kept = select([0.1] * length, protected, 0.9)
    assert kept == "x" * length


@given(
    n=st.integers(1, 60),
    quantile=st.integers(0, 999).map(lambda thousandths: thousandths / 1000),
    seed=st.integers(0, 1000),
)
def test_kept_tokens_are_those_not_below_numpys_quantile(
    n: int, quantile: float, seed: int
) -> None:
    importance = np.random.default_rng(seed).permutation(n).astype(np.float64)
    kept = select_kept(
        torch.from_numpy(importance)[None], torch.zeros(1, n, dtype=torch.bool), quantile
    )[0].numpy()
    assert kept.sum() == n - math.ceil(round(quantile * (n - 1), 8))
    expected = importance >= np.quantile(importance, quantile) - 1e-6
    assert (kept == expected).all()


def test_remove_rows_keeps_order() -> None:
    rows, keep = torch.tensor([3, 5, 8]), torch.tensor([True, False, True])
    assert remove_rows(rows, keep).tolist() == [3, 8]
