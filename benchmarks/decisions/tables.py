"""Tables of how the constants of the few-shot decision were chosen, and of what its parts give."""

from __future__ import annotations

import itertools
from typing import Dict, Mapping, Tuple

import numpy as np

from benchmarks.decisions.auto_tables import auto_plans_table, auto_rates_table
from benchmarks.decisions.choice_options import BOTH, CONFIDENCE_CHOICES
from benchmarks.rows import Rows, in_order, select
from benchmarks.tables import Plot, Table, markdown_table

PRIOR = "prior of the confidence"
# Measure -> what it is called, its factor and digits.
_COLUMNS: Dict[str, Tuple[str, float, int]] = {
    "accuracy": ("accuracy %", 100, 1),
    "oos_auroc": ("OOS AUROC", 1, 3),
    "ece": ("ECE", 1, 3),
    "right_rejection": ("right answers rejected %", 100, 1),
    "rejection_error": ("away from 5 %", 100, 1),
    "oos_recall": ("OOS recall %", 100, 1),
}
ACCURACIES = {
    "means": "means, cosine",
    "refined": "refined by logistic regression",
    "named": "refined, with names",
    "full": "refined, with names and nearest example",
}
SCORES = {
    "max_softmax": "largest softmax",
    "logit": "logit",
    "nearest": "cosine to the nearest example",
    "logit_nearest": "logit + 5 * that",
    "in_scope": "in-scope score",
}


def choices_table(rows: Rows) -> str:
    """Returns means over the bots; what decided and was taken is bold."""
    final = select(rows, choice=CONFIDENCE_CHOICES[-1].name, is_chosen=True)
    near, right = (sum(r[key] for r in final) for key in ("n_near_point", "n_right_near_point"))
    about = f"Of the answers near the operating point {100 * right / near:.0f}% are right."
    return f"{options_table(rows)}\n\n{about}"


def options_table(rows: Rows) -> str:
    """Returns the table alone."""
    measured = [row for row in rows if row["choice"] != PRIOR]
    groups = itertools.groupby(measured, key=lambda row: (row["choice"], row["option"]))
    lines = []
    for (name, option), group in groups:
        own = list(group)
        shown = f"**{option}**" if own[0]["is_chosen"] else option
        lines.append([name, shown, *(_choice_cell(own, column) for column in _COLUMNS)])
    head = ["setting", "option", *(text for text, _, _ in _COLUMNS.values())]
    return markdown_table(head, lines, n_left=2)


def _choice_cell(rows: Rows, column: str) -> str:
    _, scale, digits = _COLUMNS[column]
    cell = f"{scale * np.mean([row[column] for row in rows]):.{digits}f}"
    decides = rows[0]["decides"]
    is_bold = column == decides or (decides == BOTH and column in ("accuracy", "oos_auroc"))
    return f"**{cell}**" if is_bold else cell


def heads_table(rows: Rows) -> str:
    """Returns means over the samples: accuracies of parts, then AUROCs of scores."""
    accuracies = _means(rows, "accuracy %", ACCURACIES, 100, 1)
    return f"{accuracies}\n\n{_means(rows, 'out-of-scope AUROC', SCORES, 1, 3)}"


def labels_table(rows: Rows) -> str:
    """Returns what each threshold tells of exchanged and other labels, and what of names."""
    labels, names = select(rows, kind="labels"), select(rows, kind="names")
    n_wrong, n_right = (sum(row[key] for row in labels) for key in ("n_wrong", "n_right"))
    prefix = "wrong_over_"
    lines = []
    for threshold in (key.removeprefix(prefix) for key in labels[0] if key.startswith(prefix)):
        wrong, right = (sum(row[f"{kind}_over_{threshold}"] for row in labels)
                        for kind in ("wrong", "right"))  # fmt: skip
        cells = [100 * wrong / n_wrong, 1000 * right / n_right, 100 * wrong / (wrong + right)]
        lines.append([threshold, *(f"{cell:.1f}" for cell in cells)])
    head = ["difference over", "exchanged labels told %", "others told, of 1000"]
    head.append("of those told, exchanged %")
    found, exchanged = (sum(row[key] for row in names) for key in ("n_found", "n_exchanged"))
    about = (
        f"{len(names)} bots, 3% of their labels exchanged at random, three times: {n_wrong:,} "
        f"exchanged labels, {n_right:,} others. Of {exchanged} exchanges of two intents' names "
        f"{found} are found; in the bots as published the largest gain is "
        f"{max(row['largest_gain'] for row in names):.3f}."
    )
    return f"{markdown_table(head, lines)}\n\n{about}"


def _means(rows: Rows, title: str, names: Mapping[str, str], scale: float, digits: int) -> str:
    tasks = in_order(rows, "task")
    lines = []
    for name, text in names.items():
        means = [np.mean([row[name] for row in select(rows, task=task)]) for task in tasks]
        lines.append([text, *(f"{scale * mean:.{digits}f}" for mean in means)])
    return markdown_table([title, *tasks], lines)


TABLES = (
    Table("lexical", "docs/accuracy.md", ("lexical.jsonl",), options_table),
    Table("choices", "docs/accuracy.md", ("choices.jsonl",), choices_table),
    Table("heads", "docs/design.md", ("heads.jsonl",), heads_table),
    Table("labels", "docs/commands/doctor.md", ("labels.jsonl",), labels_table),
    Table("auto_plans", "docs/robustness.md", ("auto_plans.jsonl",), auto_plans_table),
    Table("auto_rates", "docs/robustness.md", ("auto_plans.jsonl",), auto_rates_table),
)
PLOTS: Tuple[Plot, ...] = ()
