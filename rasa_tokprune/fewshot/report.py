"""What cross-validation says of a bot's examples: how good, where weak, which to look at."""

from __future__ import annotations

import math
from typing import Any, Dict, Iterator, List, Sequence, Tuple

import numpy as np

from rasa_tokprune.fewshot.confidence import OPERATING_CONFIDENCE, ConfidenceMap, Sample
from rasa_tokprune.fewshot.fitting import Fitted
from rasa_tokprune.fewshot.held_out import n_folds, strangers
from rasa_tokprune.fewshot.metrics import (
    auroc,
    coverage_curve,
    expected_calibration_error,
    f1_by_class,
)
from rasa_tokprune.fewshot.support import SupportSet

# Messages of two intents this alike can hardly be told apart; MiniLM gives paraphrases 0.8 to 0.9.
NEAR_DUPLICATE = 0.92
# A label is suspicious if the held-out prototypes prefer another by these odds (e**3 = 20).
_SUSPICIOUS_LOG_ODDS = 3.0
# Most entries of a list in the report.
_MAX_ENTRIES = 100
# Rows of the similarity matrix at a time.
_CHUNK = 1000
# Beyond so many messages only equal ones are looked for, not nearly equal ones.
_MAX_COMPARED = 20_000


def training_report(fitted: Fitted, support: SupportSet, texts: Sequence[str]) -> Dict[str, Any]:
    """Returns the full cross-validation report, ready to become JSON.

    Args:
        fitted: What was fitted on `support`.
        support: The support set.
        texts: Texts of the examples in the order they were given in, (n_given,).
    """
    held_out = fitted.held_out
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
        "suspicious_labels": _suspicious(fitted, support, texts),
        **_duplicates(support, texts),
    }
    return {**report, **_confidence_part(fitted, support)}


def summary_lines(report: Dict[str, Any]) -> List[str]:
    """Returns what `rasa train` logs of a report: a handful of lines."""
    if report["accuracy"] is None:
        return ["cross-validation: too few examples per intent to hold any out"]
    lines = [
        f"cross-validation over {report['n_held_out']} messages: "
        f"accuracy {100 * report['accuracy']:.1f}%, macro F1 {100 * report['macro_f1']:.1f}%, "
        f"calibration error {100 * report['ece']:.1f}%"
    ]
    if report["oos_auroc"] is not None:
        lines[0] += f", out-of-scope AUROC {report['oos_auroc']:.3f} ({report['oos_auroc_from']})"
    weak = [entry for entry in report["intents"] if entry["f1"] < 1][:5]
    if weak:
        listed = ", ".join(f"{entry['intent']} {100 * entry['f1']:.0f}%" for entry in weak)
        lines.append(f"weakest intents (F1): {listed}")
    for entry in report["confused"][:3]:
        lines.append(
            f"confused {entry['n']} times: '{entry['example']}' ({entry['intent']}) is taken for "
            f"{entry['predicted']}"
        )
    for kind, text in (
        ("contradictions", "the same message in two intents"),
        ("near_duplicates", "nearly the same message in two intents"),
        ("suspicious_labels", "labels that look wrong"),
    ):
        if report[kind]:
            lines.append(f"{text}: {len(report[kind])}, first: {_shown(report[kind][0])}")
    return lines


def _shown(entry: Dict[str, Any]) -> str:
    if "predicted" in entry:
        return f"'{entry['text']}' is {entry['intent']}, looks like {entry['predicted']}"
    texts = dict.fromkeys((f"'{entry['text']}'", f"'{entry['other_text']}'"))
    return f"{' / '.join(texts)} ({entry['intent']} / {entry['other_intent']})"


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


def _suspicious(fitted: Fitted, support: SupportSet, texts: Sequence[str]) -> List[Dict[str, Any]]:
    """Returns messages that the others of all intents would clearly label otherwise."""
    held_out = fitted.held_out
    targets = support.targets[held_out.rows]
    own = held_out.class_scores[np.arange(len(targets)), targets]
    best = held_out.class_scores.max(axis=1) if len(targets) else own
    excess = best - own
    chosen = np.argsort(-excess, kind="stable")[:_MAX_ENTRIES]
    return [
        {
            "text": texts[support.sources[held_out.rows[row]]],
            "intent": support.classes[targets[row]],
            "predicted": support.classes[int(held_out.class_scores[row].argmax())],
            "log_odds": _number(excess[row]),
        }
        for row in chosen
        if excess[row] > _SUSPICIOUS_LOG_ODDS
    ]


def _duplicates(support: SupportSet, texts: Sequence[str]) -> Dict[str, List[Dict[str, Any]]]:
    """Returns equal messages within an intent, equal and nearly equal ones across intents."""
    found: Dict[str, List[Dict[str, Any]]] = {
        "duplicates": [],
        "contradictions": [],
        "near_duplicates": [],
    }
    for row, other, similarity in _alike(support, texts):
        is_same_text = math.isnan(similarity)
        if support.targets[row] == support.targets[other]:
            kind = "duplicates" if is_same_text else None
        else:
            kind = "contradictions" if is_same_text else "near_duplicates"
        if kind and len(found[kind]) < _MAX_ENTRIES:
            found[kind].append(
                {
                    "text": texts[support.sources[row]],
                    "intent": support.classes[support.targets[row]],
                    "other_text": texts[support.sources[other]],
                    "other_intent": support.classes[support.targets[other]],
                    "similarity": 1.0 if is_same_text else _number(similarity),
                }
            )
    return found


def _alike(support: SupportSet, texts: Sequence[str]) -> Iterator[Tuple[int, int, float]]:
    """Yields pairs of rows with the same text (similarity NaN) or nearly the same embedding."""
    rows = np.flatnonzero(~support.is_name)
    plain = {row: " ".join(texts[support.sources[row]].lower().split()) for row in rows}
    first: Dict[str, int] = {}
    for row in rows:
        other = first.setdefault(plain[row], row)
        if other != row:
            yield other, row, math.nan
    if len(rows) > _MAX_COMPARED:
        return
    embeddings = support.embeddings[rows]
    for start in range(0, len(rows), _CHUNK):
        cosines = embeddings[start : start + _CHUNK] @ embeddings.T
        for place, other_place in np.argwhere(cosines > NEAR_DUPLICATE):
            row, other = rows[start + place], rows[other_place]
            if row < other and plain[row] != plain[other]:
                yield row, other, float(cosines[place, other_place])


def _confidence_part(fitted: Fitted, support: SupportSet) -> Dict[str, Any]:
    """Returns calibration, out-of-scope estimate and the threshold-coverage curve.

    Held out message by message, these are a bit better than what users' messages will give.
    """
    classifier, sample = fitted.classifier, fitted.samples[0]
    confidences = _confidences(classifier.confidence_map, sample)
    oos_confidences, source = _out_of_scope(fitted, support)
    area = auroc(confidences, oos_confidences)
    return {
        "ece": expected_calibration_error(confidences, sample.is_right),
        "oos_auroc": None if math.isnan(area) else area,
        "oos_auroc_from": source,
        "in_scope_rejection": _share(confidences < OPERATING_CONFIDENCE),
        "operating_point": classifier.confidence_map.operating_point,
        "curve": [
            {key: None if math.isnan(value) else value for key, value in entry.items()}
            for entry in coverage_curve(confidences, sample.is_right, oos_confidences)
        ],
    }


def _out_of_scope(fitted: Fitted, support: SupportSet) -> Tuple[np.ndarray, str]:
    """Returns confidences of out-of-scope messages and where those came from."""
    confidence_map = fitted.classifier.confidence_map
    if len(fitted.oos_in_scope):
        scores, source = fitted.oos_in_scope, "the bot's own out-of-scope examples"
    else:
        is_oos = np.isin(np.arange(len(support.classes)), fitted.classifier.oos_classes)
        scores = strangers(support, n_folds(support), is_oos)
        source = "intents left out, harder than most"
    margins = scores - confidence_map.operating_point
    return np.array([confidence_map.confidence(margin) for margin in margins]), source


def _confidences(confidence_map: ConfidenceMap, sample: Sample) -> np.ndarray:
    margins = [
        confidence_map.margin(score, answer)
        for score, answer in zip(sample.in_scope, sample.answers)
    ]
    return np.array([confidence_map.confidence(margin) for margin in margins])


def _share(is_true: np.ndarray) -> float:
    return _number(is_true.mean()) if len(is_true) else 0.0


def _number(value: float) -> float:
    return round(float(value), 4)
