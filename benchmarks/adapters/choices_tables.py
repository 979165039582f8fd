"""Tables of what adapters were chosen among, on the judge sets."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, Tuple

from benchmarks.rows import Rows, select
from benchmarks.tables import markdown_table

# Plan, sets in the contrast, its weight.
_Run = Tuple[str, str, float]


def looks_table(rows: Rows) -> str:
    """Returns what contrast changed in each training, by its looks at the judges: one draw."""
    runs: Dict[_Run, List[Mapping[str, Any]]] = {}
    for row in select(rows, measured_by="rasa-tokprune adapt"):
        runs.setdefault((row["plan"], row["sets"], row["contrast_weight"]), []).append(row)
    lines = []
    for (plan, sets, weight), own in sorted(runs.items(), key=lambda each: _place(each[0])):
        best = max(own, key=lambda row: float(row["judged"]))
        cells = [f"`{plan}`", sets, f"{weight:g}", str(best["step"])]
        for name in ("accuracy", "oos_auroc", "mash_answered"):
            scale, digits = (1, 3) if name == "oos_auroc" else (100, 1)
            first, last = (f"{scale * row[name]:.{digits}f}" for row in (own[0], best))
            cells.append(f"{first} → {last}")
        lines.append(cells)
    head = ["plan", "sets in the contrast", "weight", "steps", "accuracy %", "OOS AUROC"]
    return markdown_table([*head, "mash answered %"], lines, n_left=2)


def strengths_table(rows: Rows) -> str:
    """Returns accuracy and AUROC at several strengths: three draws, both views, 8 bits."""
    lines = []
    for row in select(rows, measured_by="benchmarks.accuracy.unseen"):
        cells = [f"`{row['plan']}`", row["sets"], f"{row['contrast_weight']:g}"]
        cells += [f"{row['strength']:g}", f"{100 * row['accuracy']:.1f}"]
        lines.append([*cells, f"{row['oos_auroc']:.3f}", f"{row['ece']:.3f}"])
    head = ["plan", "sets in the contrast", "weight", "strength", "accuracy %", "OOS AUROC", "ECE"]
    lines.sort(key=lambda cells: (_PLANS.index(cells[0].strip("`")), *cells[1:]))
    return markdown_table(head, lines, n_left=2)


_PLANS = ("light", "balanced", "fast")


def _place(run: _Run) -> Tuple[int, str, float]:
    return _PLANS.index(run[0]), run[1], run[2]
