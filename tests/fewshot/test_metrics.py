"""Measures against numbers worked out by hand and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from rasa_tokprune.fewshot.metrics import (
    auroc,
    coverage_curve,
    expected_calibration_error,
    macro_f1,
)


def test_calibration_error_by_hand() -> None:
    # Bin 0.9-1.0: mean confidence 0.95, accuracy 0.5. Bin 0.2-0.3: confidence 0.2, accuracy 1.
    confidences = np.array([0.95, 0.95, 0.2, 0.2])
    is_right = np.array([True, False, True, True])
    expected = 0.5 * 0.45 + 0.5 * 0.8
    assert expected_calibration_error(confidences, is_right) == pytest.approx(expected)
    assert expected_calibration_error(np.array([1.0, 0.0]), np.array([True, False])) == 0.0
    assert expected_calibration_error(np.zeros(0), np.zeros(0)) == 0.0


def test_auroc_by_hand_and_as_scikit_learn_has_it() -> None:
    assert auroc(np.array([0.9, 0.8]), np.array([0.1])) == 1.0
    assert auroc(np.array([0.5]), np.array([0.5])) == 0.5
    assert auroc(np.array([0.3, 0.7]), np.array([0.5])) == 0.5
    assert np.isnan(auroc(np.array([0.3]), np.zeros(0)))
    rng = np.random.default_rng(0)
    in_scope, out = rng.random(200).round(1), (rng.random(99) * 0.7).round(1)
    is_in = np.repeat([1, 0], [200, 99])
    expected = roc_auc_score(is_in, np.concatenate((in_scope, out)))
    assert auroc(in_scope, out) == pytest.approx(expected)


def test_coverage_curve_by_hand() -> None:
    curve = coverage_curve(
        np.array([0.2, 0.6, 0.9, 0.9]), np.array([False, True, True, False]), np.array([0.1, 0.7])
    )
    assert [entry["threshold"] for entry in curve] == pytest.approx(np.arange(101) / 100)
    assert curve[0] == {
        "threshold": 0.0, "coverage": 1.0, "accuracy": 0.5, "out_of_scope_recall": 0.0,
    }  # fmt: skip
    assert curve[50]["coverage"] == 0.75
    assert curve[50]["accuracy"] == pytest.approx(2 / 3)
    assert curve[50]["out_of_scope_recall"] == 0.5
    assert curve[100]["coverage"] == 0.0
    assert np.isnan(curve[100]["accuracy"])


def test_macro_f1_counts_every_intent_alike() -> None:
    answers = np.array(["a", "a", "a", "b"])
    predicted = np.array(["a", "a", "b", "b"])
    assert macro_f1(answers, predicted) == pytest.approx((0.8 + 2 / 3) / 2)
    assert macro_f1(answers, predicted) == pytest.approx(
        f1_score(answers, predicted, average="macro")
    )
