"""How good confidences are: calibration, separation of out-of-scope messages, coverage."""

from __future__ import annotations

from typing import Dict, List

import numpy as np
from scipy.stats import rankdata

N_BINS = 10


def expected_calibration_error(
    confidences: np.ndarray, is_right: np.ndarray, n_bins: int = N_BINS
) -> float:
    """Returns the mean gap between confidence and accuracy, weighted by bin size, in [0, 1].

    Source: Guo et al., "On calibration of modern neural networks" (2017), equation 3. Ten bins
    instead of their fifteen, because tests of real bots have a few hundred messages: even
    perfect confidences then show 0.04 to 0.05.

    Args:
        confidences: Of the answers given, (n,), in [0, 1].
        is_right: Whether each answer was right, (n,) bool.
        n_bins: Bins of equal width.
    """
    if len(confidences) == 0:
        return 0.0
    bins = bin_of(np.asarray(confidences), n_bins)
    counts = np.bincount(bins, minlength=n_bins)
    gaps = np.bincount(bins, weights=confidences, minlength=n_bins)
    gaps -= np.bincount(bins, weights=np.asarray(is_right, dtype=float), minlength=n_bins)
    return float(np.abs(gaps).sum() / counts.sum())


def bin_of(confidences: np.ndarray, n_bins: int = N_BINS) -> np.ndarray:
    """Returns the number of each confidence's bin of equal width, (n,); 1.0 is in the last."""
    return np.minimum((confidences * n_bins).astype(int), n_bins - 1)


def auroc(in_scope: np.ndarray, out_of_scope: np.ndarray) -> float:
    """Returns the chance that an in-scope score exceeds an out-of-scope one, ties half.

    Source: the Mann-Whitney statistic; equals the area under the ROC curve.

    Args:
        in_scope: Scores or confidences, (n_in,), higher = in scope.
        out_of_scope: The same, (n_out,).
    """
    n_in, n_out = len(in_scope), len(out_of_scope)
    if not n_in or not n_out:
        return float("nan")
    ranks = rankdata(np.concatenate((in_scope, out_of_scope)))
    return float((ranks[:n_in].sum() - n_in * (n_in + 1) / 2) / (n_in * n_out))


def coverage_curve(
    confidences: np.ndarray, is_right: np.ndarray, out_of_scope: np.ndarray
) -> List[Dict[str, float]]:
    """Returns what each threshold from 0.00 to 1.00 answers and gets right.

    Args:
        confidences: Of the answers to in-scope messages, (n_in,).
        is_right: Whether each was right, (n_in,) bool.
        out_of_scope: Confidences on out-of-scope messages, (n_out,); may be empty.

    Returns:
        One entry per threshold: `coverage` is the share of in-scope messages answered,
        `accuracy` the share of the answered ones that is right (NaN if none is answered),
        `out_of_scope_recall` the share of out-of-scope messages rejected (NaN without any).
    """
    is_right = np.asarray(is_right, dtype=bool)
    rows = []
    for threshold in np.linspace(0.0, 1.0, 101).round(2):
        answered = confidences >= threshold
        rows.append(
            {
                "threshold": float(threshold),
                "coverage": _mean(answered),
                "accuracy": _mean(is_right[answered]),
                "out_of_scope_recall": _mean(out_of_scope < threshold),
            }
        )
    return rows


def macro_f1(answers: np.ndarray, predicted: np.ndarray) -> float:
    """Returns the mean F1 over the classes that occur among the right answers."""
    return float(np.mean([f1 for _, f1 in f1_by_class(answers, predicted)]))


def f1_by_class(answers: np.ndarray, predicted: np.ndarray) -> List[tuple]:
    """Returns (class, F1) of each class among the right answers, ascending by class."""
    scores = []
    for label in np.unique(answers):
        is_label, is_found = answers == label, predicted == label
        n_both = np.sum(is_label & is_found)
        scores.append((label, float(2 * n_both / (is_label.sum() + is_found.sum()))))
    return scores


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
