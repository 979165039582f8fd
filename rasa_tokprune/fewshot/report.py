"""What cross-validation says of a bot's examples: how good, where weak, which to look at."""

from __future__ import annotations

import itertools
import math
from typing import Any, Dict, List, Sequence, Set, Tuple

import numpy as np

from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.fewshot.calibration.held_out import leave_intents_out, n_folds
from rasa_tokprune.fewshot.classifier import Fitted
from rasa_tokprune.fewshot.metrics import (
    auroc,
    coverage_curve,
    expected_calibration_error,
    f1_by_class,
)
from rasa_tokprune.fewshot.support import SupportSet

# An intent with fewer examples has too few to rely on; docs/accuracy.md measures bots of five.
FEW_EXAMPLES = 5
# Messages of two intents this alike can hardly be told apart; MiniLM gives paraphrases 0.8 to 0.9.
NEAR_DUPLICATE = 0.92
# A label is suspicious if another has a class score so much higher, with the message held out.
SUSPICIOUS = 3.0
# Most entries of a list in the report.
_MAX_ENTRIES = 100
# Rows of the similarity matrix at a time.
_CHUNK = 1000
# Pairs after which the search for nearly equal messages ends.
MAX_PAIRS = 1000
# Beyond so many messages only equal ones are looked for, not nearly equal ones.
_MAX_COMPARED = 20_000


def training_report(fitted: Fitted, support: SupportSet, texts: Sequence[str]) -> Dict[str, Any]:
    """Returns the full cross-validation report, ready to become JSON.

    Args:
        fitted: What was fitted on `support`.
        support: The support set.
        texts: Texts of the examples in the order they were given in, (n_given,).
    """
    held_out = fitted.calibration.held_out
    targets = support.targets[held_out.rows]
    predicted = held_out.class_scores.argmax(axis=1)
    names = np.array(support.classes, dtype=object)
    f1 = f1_by_class(targets, predicted) if len(targets) else []
    report: Dict[str, Any] = {
        "n_examples": int((~support.is_name).sum()),
        "n_intents": len(support.classes),
        "n_prototypes": len(support.class_of),
        "n_held_out": len(targets),
        "n_folds": n_folds(support),
        "accuracy": _number(np.mean(predicted == targets)) if len(targets) else None,
        "macro_f1": _number(np.mean([score for _, score in f1])) if f1 else None,
        "intents": [
            {
                "intent": names[target],
                "f1": _number(score),
                "n_examples": int((targets == target).sum()),
            }
            for target, score in sorted(f1, key=lambda pair: pair[1])
        ],
        "confused": _confused(targets, predicted, support, held_out.rows, texts),
        **_suspicious(fitted, support, texts),
        **_duplicates(support, texts),
    }
    return {**report, **_confidence_part(fitted, support)}


def _confused(
    targets: np.ndarray,
    predicted: np.ndarray,
    support: SupportSet,
    rows: np.ndarray,
    texts: Sequence[str],
) -> List[Dict[str, Any]]:
    """Returns pairs of intents by how often one is taken for the other, with an example."""
    examples: Dict[Tuple[int, int], List[int]] = {}
    for row, target, answer in zip(rows, targets, predicted):
        if target != answer:
            examples.setdefault((int(target), int(answer)), []).append(int(row))
    pairs = sorted(examples.items(), key=lambda pair: -len(pair[1]))[:_MAX_ENTRIES]
    entries = []
    for (target, answer), found in pairs:
        others = np.flatnonzero((support.targets == answer) & ~support.is_name)
        like = others[(support.embeddings[others] @ support.embeddings[found[0]]).argmax()]
        entries.append(
            {
                "intent": support.classes[target],
                "predicted": support.classes[answer],
                "n": len(found),
                "example": texts[support.sources[found[0]]],
                "example_of_predicted": texts[support.sources[like]],
            }
        )
    return entries


def _suspicious(fitted: Fitted, support: SupportSet, texts: Sequence[str]) -> Dict[str, Any]:
    """Returns messages that the others of all intents would clearly label otherwise."""
    held_out = fitted.calibration.held_out
    targets = support.targets[held_out.rows]
    own = held_out.class_scores[np.arange(len(targets)), targets]
    excess = held_out.class_scores.max(axis=1) - own if len(targets) else own
    chosen = np.argsort(-excess, kind="stable")[: int(np.sum(excess > SUSPICIOUS))]
    entries = [
        {
            "text": texts[support.sources[held_out.rows[row]]],
            "intent": support.classes[targets[row]],
            "predicted": support.classes[int(held_out.class_scores[row].argmax())],
            "difference": _number(excess[row]),
        }
        for row in chosen[:_MAX_ENTRIES]
    ]
    return {"n_suspicious_labels": len(chosen), "suspicious_labels": entries}


def _duplicates(support: SupportSet, texts: Sequence[str]) -> Dict[str, Any]:
    """Returns messages that occur twice in an intent, or in two; and nearly so in two."""
    rows = np.flatnonzero(~support.is_name)
    by_text: Dict[str, List[int]] = {}
    for row in rows:
        by_text.setdefault(" ".join(texts[support.sources[row]].lower().split()), []).append(row)
    pairs: Dict[str, List[Tuple[int, int]]] = {"duplicates": [], "contradictions": []}
    for same in by_text.values():
        first_of = {support.targets[row]: row for row in reversed(same)}
        for row in same:
            if row not in first_of.values():
                pairs["duplicates"].append((first_of[support.targets[row]], row))
        pairs["contradictions"] += itertools.pairwise(sorted(first_of.values()))
    pairs["near_duplicates"] = _nearly_alike(support, rows, set(pairs["contradictions"]))
    report: Dict[str, Any] = {}
    for kind, found in pairs.items():
        report[f"n_{kind}"] = len(found)
        report[kind] = [_pair(support, texts, *pair) for pair in found[:_MAX_ENTRIES]]
    return report


def _nearly_alike(
    support: SupportSet, rows: np.ndarray, known: Set[Tuple[int, int]]
) -> List[Tuple[int, int]]:
    """Returns pairs of rows of different classes with a high cosine, but for those known."""
    if len(rows) > _MAX_COMPARED:
        return []
    found: List[Tuple[int, int]] = []
    embeddings, targets = support.embeddings[rows], support.targets[rows]
    for start in range(0, len(rows), _CHUNK):
        cosines = embeddings[start : start + _CHUNK] @ embeddings.T
        is_pair = (cosines > NEAR_DUPLICATE) & (targets[start : start + _CHUNK, None] < targets)
        for place, other in np.argwhere(is_pair):
            pair = (int(rows[start + place]), int(rows[other]))
            if pair not in known:
                found.append(pair)
        if len(found) > MAX_PAIRS:
            break
    return found


def _pair(support: SupportSet, texts: Sequence[str], row: int, other: int) -> Dict[str, Any]:
    return {
        "text": texts[support.sources[row]],
        "intent": support.classes[support.targets[row]],
        "other_text": texts[support.sources[other]],
        "other_intent": support.classes[support.targets[other]],
        "similarity": _number(support.embeddings[row] @ support.embeddings[other]),
    }


def _confidence_part(fitted: Fitted, support: SupportSet) -> Dict[str, Any]:
    """Returns calibration, out-of-scope estimate and the threshold-coverage curve.

    Held out message by message, these are a bit better than what users' messages will give.
    """
    confidence_map, sample = fitted.classifier.confidence_map, fitted.calibration.sample
    if len(fitted.calibration.oos_sample.targets):
        oos, source = fitted.calibration.oos_sample, "the bot's own out-of-scope examples"
    else:
        left_out = (n_folds(support), fitted.classifier.oos_classes)
        oos = leave_intents_out(support, *left_out, fitted.calibration.lexical_weight)
        source = "intents left out, harder than most"
    confidences, oos_confidences = map(confidence_map.confidences, (sample, oos))
    area = auroc(confidences, oos_confidences)
    return {
        "ece": _number(expected_calibration_error(confidences, sample.is_right)),
        "oos_auroc": None if math.isnan(area) else _number(area),
        "oos_auroc_from": source,
        "in_scope_rejection": _share(confidences < OPERATING_CONFIDENCE),
        "operating_point": confidence_map.operating_point,
        "curve": [
            {key: None if math.isnan(value) else _number(value) for key, value in entry.items()}
            for entry in coverage_curve(confidences, sample.is_right, oos_confidences)
        ],
    }


def _share(is_true: np.ndarray) -> float:
    return _number(is_true.mean()) if len(is_true) else 0.0


def _number(value: float) -> float:
    return round(float(value), 4)
