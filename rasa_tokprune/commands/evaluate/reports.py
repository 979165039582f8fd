"""The reports that `rasa test nlu` writes of intents, made without Rasa: the same files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List, Sequence

from rasa_tokprune.commands.evaluate.runs import Answer

REPORT, ERRORS, SUCCESSES = "intent_report.json", "intent_errors.json", "intent_successes.json"
# Of what an intent is taken for, the most frequent ones are named, itself among them.
_N_CONFUSED = 3


def write_reports(answers: Sequence[Answer], folder: Path) -> None:
    """Writes report, errors and successes of the answers to messages that have an intent.

    Args:
        answers: Every answer; no intent at all counts as the intent ''.
        folder: Is there. Errors and successes are left out if there are none, as by Rasa.
    """
    labelled = [answer for answer in answers if answer.intent]
    targets = [str(answer.intent) for answer in labelled]
    _write(intent_report(targets, [a.predicted or "" for a in labelled]), folder / REPORT)
    right = [answer for answer in labelled if answer.predicted == answer.intent]
    wrong = [answer for answer in labelled if answer.predicted != answer.intent]
    for name, chosen in ((SUCCESSES, right), (ERRORS, wrong)):
        if chosen:
            _write([_entry(answer) for answer in chosen], folder / name)


def intent_report(targets: Sequence[str], predictions: Sequence[str]) -> Dict[str, Any]:
    """Returns scikit-learn's classification report as Rasa completes it.

    Args:
        targets: The right intent of each message.
        predictions: The intent answered to each.
    """
    from sklearn.metrics import accuracy_score, classification_report, confusion_matrix

    report: Dict[str, Any] = classification_report(
        targets, predictions, labels=sorted(set(targets)), output_dict=True, zero_division=0
    )
    # scikit-learn says one of the two: they differ where an intent is answered that is no target.
    if "accuracy" in report:
        same = dict.fromkeys(("precision", "recall", "f1-score"), report["accuracy"])
        report["micro avg"] = {**same, "support": report["macro avg"]["support"]}
    else:
        report["accuracy"] = float(accuracy_score(targets, predictions))
    labels = sorted({*targets, *predictions})
    counts = confusion_matrix(targets, predictions, labels=labels)
    for label, row in zip(labels, counts):
        if label in report:
            likely = row.argsort()[::-1][:_N_CONFUSED]
            others = {labels[i]: int(row[i]) for i in likely if labels[i] != label and row[i]}
            report[label]["confused_with"] = others
    return report


def _entry(answer: Answer) -> Dict[str, Any]:
    predicted = {"name": answer.predicted or "", "confidence": answer.confidence}
    return {"text": answer.text, "intent": answer.intent, "intent_prediction": predicted}


def _write(content: Dict[str, Any] | List[Dict[str, Any]], path: Path) -> None:
    text = json.dumps(content, indent=2, ensure_ascii=False)
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
