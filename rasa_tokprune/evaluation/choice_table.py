"""The table of what was chosen, from raw rows."""

from __future__ import annotations

import itertools
from typing import Any, Dict, Sequence, Tuple

import numpy as np

from rasa_tokprune.evaluation.choice_options import CONFIDENCE_CHOICES

MARKER = "choices"
PRIOR = "prior of the confidence"

COLUMNS: Dict[str, Tuple[str, float, int]] = {
    "accuracy": ("accuracy %", 100, 1),
    "oos_auroc": ("OOS AUROC", 1, 3),
    "ece": ("ECE", 1, 3),
    "right_rejection": ("right answers rejected %", 100, 1),
    "rejection_error": ("away from 5 %", 100, 1),
    "oos_recall": ("OOS recall %", 100, 1),
}


def render(rows: Sequence[Dict[str, Any]]) -> str:
    """Returns a Markdown table of means over the bots; what decided and was taken is bold."""
    heads = " | ".join(text for text, _, _ in COLUMNS.values())
    lines = [f"| setting | option | {heads} |", "|---|---|" + "--:|" * len(COLUMNS)]
    measured = [row for row in rows if row["choice"] != PRIOR]
    for (name, option), group in itertools.groupby(
        measured, key=lambda row: (row["choice"], row["option"])
    ):
        own = list(group)
        cells = []
        for column, (_, scale, digits) in COLUMNS.items():
            cell = f"{scale * np.mean([row[column] for row in own]):.{digits}f}"
            cells.append(f"**{cell}**" if column == own[0]["decides"] else cell)
        shown = f"**{option}**" if own[0]["is_chosen"] else option
        lines.append(f"| {name} | {shown} | {' | '.join(cells)} |")
    last = CONFIDENCE_CHOICES[-1].name
    final = [row for row in measured if row["choice"] == last and row["is_chosen"]]
    near = sum(row["n_right_near_point"] for row in final) / sum(r["n_near_point"] for r in final)
    lines += ["", f"Of the answers near the operating point {100 * near:.0f}% are right."]
    return "\n".join(lines)
