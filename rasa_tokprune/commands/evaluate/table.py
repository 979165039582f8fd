"""Means over the seeds, and the table that is printed."""

from __future__ import annotations

import statistics
from typing import Any, Dict, List, Mapping, Sequence

_KEYS = ("task", "shots", "model", "plan")
_MEASURES = ("accuracy", "macro_f1", "ece", "in_scope_rejection", "oos_auroc", "oos_recall")
_HEAD = (
    "| task | shots | model | plan | accuracy % | macro F1 % | ECE | OOS AUROC "
    "| OOS recall % at in-scope rejection % |"
)


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


def render(summaries: Sequence[Mapping[str, Any]]) -> str:
    """Returns a Markdown table, one line per entry of `summarize`."""
    lines = [_HEAD, "|---|--:|---|---|--:|--:|--:|--:|--:|"]
    for entry in summaries:
        sd = entry["accuracy_sd"]
        spread = "" if sd is None else f" ± {100 * sd:.1f}"
        has_oos = "oos_auroc" in entry
        auroc = f"{entry['oos_auroc']:.3f}" if has_oos else ""
        rejection = f"{100 * entry['in_scope_rejection']:.1f}"
        recall = f"{100 * entry['oos_recall']:.1f}" if has_oos else "-"
        lines.append(
            f"| {' | '.join(str(entry[key]) for key in _KEYS)} "
            f"| {100 * entry['accuracy']:.1f}{spread} | {100 * entry['macro_f1']:.1f} "
            f"| {entry['ece']:.3f} | {auroc} | {recall} at {rejection} |"
        )
    return "\n".join(lines)
