"""What `rasa train` shows of a report: the few things that a bot's author acts on."""

from __future__ import annotations

from typing import Any, Dict, Iterator, List, Tuple

_SHOWN_WEAK, _SHOWN_CONFUSED = 5, 3
_NUMBERS = ("n_held_out", "accuracy", "macro_f1", "ece", "oos_auroc", "oos_auroc_from")
_FLAWS = {
    "suspicious_labels": ("labels", "look wrong"),
    "contradictions": ("same message", "in two intents"),
    "near_duplicates": ("nearly same", "in two intents"),
}


def summary_pairs(report: Dict[str, Any]) -> List[Tuple[str, str]]:
    """Returns what to read of a report: names, and what there is to say; '' goes on."""
    pairs = list(_accuracy(report))
    for kind, (name, text) in _FLAWS.items():
        if report[kind]:
            pairs.append((name, f"{report[f'n_{kind}']} {text}, first: {_shown(report[kind][0])}"))
    return pairs


def summary_fields(report: Dict[str, Any]) -> Dict[str, Any]:
    """Returns the same as JSON values."""
    fields: Dict[str, Any] = {key: report[key] for key in _NUMBERS}
    fields["weakest"] = _weak(report)
    fields["confused"] = report["confused"][:_SHOWN_CONFUSED]
    for kind in _FLAWS:
        fields[f"n_{kind}"] = report[f"n_{kind}"]
        fields[kind] = report[kind][:1]
    return fields


def has_flaws(report: Dict[str, Any]) -> bool:
    """Returns whether there is anything to look at."""
    return bool(_weak(report) or report["confused"] or any(report[kind] for kind in _FLAWS))


def _accuracy(report: Dict[str, Any]) -> Iterator[Tuple[str, str]]:
    if report["accuracy"] is None:
        yield (
            "accuracy",
            "unknown: too few examples per intent to hold any out; confidence is a general "
            "constant then, not calibrated on this bot",
        )
        return
    yield (
        "accuracy",
        f"{100 * report['accuracy']:.1f}% of {report['n_held_out']} messages held out, "
        f"macro F1 {100 * report['macro_f1']:.1f}%",
    )
    trust = f"calibration error {100 * report['ece']:.1f}%"
    if report["oos_auroc"] is not None:
        trust += f", out-of-scope AUROC {report['oos_auroc']:.3f} ({report['oos_auroc_from']})"
    yield "confidence", trust
    weak = _weak(report)
    if weak:
        listed = ", ".join(f"{entry['intent']} {100 * entry['f1']:.0f}%" for entry in weak)
        yield "weak (F1)", listed
    for number, entry in enumerate(report["confused"][:_SHOWN_CONFUSED]):
        yield (
            "" if number else "confused",
            f"{entry['n']}x {_quoted(entry['example'])} ({entry['intent']}) is taken for "
            f"{entry['predicted']}",
        )


def _weak(report: Dict[str, Any]) -> List[Dict[str, Any]]:
    return [entry for entry in report["intents"] if entry["f1"] < 1][:_SHOWN_WEAK]


def _quoted(text: str) -> str:
    return f"'{' '.join(text.split())}'"


def _shown(entry: Dict[str, Any]) -> str:
    if "predicted" in entry:
        return f"{_quoted(entry['text'])} is {entry['intent']}, looks like {entry['predicted']}"
    texts = dict.fromkeys((_quoted(entry["text"]), _quoted(entry["other_text"])))
    return f"{' / '.join(texts)} ({entry['intent']} / {entry['other_intent']})"
