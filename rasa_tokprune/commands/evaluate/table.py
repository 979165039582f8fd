"""Means over the seeds, and the cells of their table."""

from __future__ import annotations

import statistics
from typing import Any, Dict, List, Mapping, Sequence

_KEYS = ("task", "shots", "model", "plan")
_MEASURES = ("accuracy", "macro_f1", "ece", "in_scope_rejection", "oos_auroc", "oos_recall")
COLUMNS = (*_KEYS, "accuracy %", "macro F1 %", "ECE", "OOS AUROC", "OOS recall % at rejection %")
N_NAMES = len(_KEYS)


def summarize(rows: Sequence[Mapping[str, Any]]) -> List[Dict[str, Any]]:
    """Returns one entry per task, shots, model and plan: means over the seeds.

    `accuracy_sd` is the sample standard deviation, None for a single seed.
    """
    groups: Dict[Any, List[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[key] for key in _KEYS), []).append(row)
    return [_summary(group) for group in groups.values()]


def _summary(group: Sequence[Mapping[str, Any]]) -> Dict[str, Any]:
    summary: Dict[str, Any] = {key: group[0][key] for key in _KEYS}
    for measure in _MEASURES:
        if measure in group[0]:
            summary[measure] = statistics.fmean(row[measure] for row in group)
    accuracies = [row["accuracy"] for row in group]
    summary["accuracy_sd"] = statistics.stdev(accuracies) if len(accuracies) > 1 else None
    return summary


def cells(summary: Mapping[str, Any]) -> List[str]:
    """Returns the cells of an entry of `summarize`, as many as `COLUMNS`."""
    sd = summary["accuracy_sd"]
    spread = "" if sd is None else f" \u00b1 {100 * sd:.1f}"
    has_oos = "oos_auroc" in summary
    recall = f"{100 * summary['oos_recall']:.1f}" if has_oos else "-"
    return [
        *(str(summary[key]) for key in _KEYS),
        f"{100 * summary['accuracy']:.1f}{spread}",
        f"{100 * summary['macro_f1']:.1f}",
        f"{summary['ece']:.3f}",
        f"{summary['oos_auroc']:.3f}" if has_oos else "",
        f"{recall} at {100 * summary['in_scope_rejection']:.1f}",
    ]
