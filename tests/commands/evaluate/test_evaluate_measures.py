"""What answers say, by numbers a reader can check."""

from __future__ import annotations

import math

import pytest

from rasa_tokprune.commands.evaluate.runs import Answer, as_predictions

# text, right intent, intent found, confidence, confidence that it is in scope, rejected, is OOS
INSIDE = [
    Answer("a", "x", "x", 0.95, 0.95, False, False),
    Answer("b", "x", "y", 0.91, 0.91, False, False),
    Answer("c", "y", "out_of_scope", 0.8, 0.2, True, False),
    Answer("d", "y", "y", 0.4, 0.4, True, False),
]
OUTSIDE = [
    Answer("e", None, "x", 0.3, 0.3, True, True),
    Answer("f", "out_of_scope", "out_of_scope", 0.9, 0.1, True, True),
    Answer("g", "out_of_scope", "y", 0.93, 0.93, False, True),
]


def test_measures() -> None:
    measures = as_predictions([*INSIDE, *OUTSIDE]).measures()
    assert (measures["n_test"], measures["n_oos"]) == (4, 3)
    assert measures["accuracy"] == 0.5
    assert measures["in_scope_rejection"] == 0.5
    assert measures["right_rejection"] == 0.5  # a is answered, d is not
    assert measures["oos_recall"] == pytest.approx(2 / 3)
    # Of 12 pairs, .95 beats three, .91, .4 two each (.3, .1), .2 beats .1.
    assert measures["oos_auroc"] == pytest.approx(8 / 12)
    # Bins: .9-1 (.95 + .91, one right), .8-.9 (.8, wrong), .4-.5 (.4, right).
    gaps = abs(0.95 + 0.91 - 1) + 0.8 + abs(0.4 - 1)
    assert measures["ece"] == pytest.approx(gaps / 4)


def test_calibration_bins_add_up_to_the_error() -> None:
    predictions = as_predictions(INSIDE)
    bins = predictions.calibration()
    assert [entry["count"] for entry in bins] == [0, 0, 0, 0, 1, 0, 0, 0, 1, 2]
    assert (bins[9]["from"], bins[9]["to"], bins[9]["accuracy"]) == (0.9, 1.0, 0.5)
    assert math.isnan(bins[0]["accuracy"])
    gaps = [e["count"] * abs(e["confidence"] - e["accuracy"]) for e in bins if e["count"]]
    assert sum(gaps) / 4 == pytest.approx(predictions.measures()["ece"])


def test_curve_counts_an_out_of_scope_answer_by_what_it_leaves() -> None:
    curve = {entry["threshold"]: entry for entry in as_predictions([*INSIDE, *OUTSIDE]).curve()}
    assert curve[0.5]["coverage"] == 0.5  # a and b; c is 80% sure to be out of scope
    assert curve[0.5]["accuracy"] == 0.5
    assert curve[0.5]["out_of_scope_recall"] == pytest.approx(2 / 3)


def test_no_out_of_scope_messages() -> None:
    measures = as_predictions(INSIDE).measures()
    assert measures["n_oos"] == 0
    assert "oos_auroc" not in measures
