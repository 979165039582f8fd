"""Tables and the plot of the shipped plans with their adapters, and of how they were found.

Rows are those of `rasa-tokprune evaluate`, of `plan_times` and of `rasa-tokprune adapt --search`.
No adapter was trained on an intent of the tasks.
"""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

import numpy as np

from benchmarks.accuracy.tables import TASKS
from benchmarks.adapters.search_tables import (
    compared_table,
    draw_trials,
    front_table,
    sweep_table,
)
from benchmarks.rows import Rows, in_order
from benchmarks.tables import Plot, Table, markdown_table
from rasa_tokprune.encoder.plans.resolve import OFF

_CLAIMED = "fast"
_SHIPPED = (OFF, "light", "balanced", "fast")
# Messages that users wrote to live bots and companies.
REAL_USERS = ("sofmattress", "powerplay11", "cfpb_long_20shot")

Row = Mapping[str, Any]
# Plan -> task -> row.
Found = Dict[str, Dict[str, Row]]


def by_plan(rows: Rows) -> Found:
    """Returns the rows by plan and task, in the order of the file."""
    found: Found = {}
    for row in rows:
        found.setdefault(row["plan"], {})[row["task"]] = row
    return found


def plans_table(rows: Rows) -> str:
    """Returns accuracy by plan and task, with cost and the means that the targets are set in."""
    found = by_plan(rows)
    base = found[OFF]
    head = ["accuracy %", "cost", *TASKS, "mean", "against un-pruned", "real users"]
    lines = []
    for plan, own in found.items():
        accuracies = [100 * own[task]["accuracy"] for task in TASKS]
        cost = _mean(own, "cost", TASKS)
        cells = [f"{cost:.3f}", *(f"{value:.1f}" for value in accuracies)]
        cells.append(f"{np.mean(accuracies):.1f}")
        cells += ["" if plan == OFF else _gain(own, base, tasks) for tasks in (TASKS, REAL_USERS)]
        lines.append([f"`{plan}`", *cells])
    return markdown_table(head, lines, is_spaced=True)


def claim_table(rows: Rows) -> str:
    """Returns cost and mean accuracy of the shipped plans, of all tasks and of real users."""
    found = by_plan(rows)
    head = ["plan", "token-layers", "accuracy %, mean of 7 tasks", "of 3 with real users"]
    lines = []
    for plan in _SHIPPED:
        own = found[plan]
        cost = _mean(own, "cost", TASKS)
        means = [100 * _mean(own, "accuracy", tasks) for tasks in (TASKS, REAL_USERS)]
        lines.append([f"`{plan}`", f"{cost:.2f}", *(f"{mean:.1f}" for mean in means)])
    return markdown_table(head, lines, is_spaced=True)


def claim_line(rows: Rows) -> str:
    """Returns in one sentence what the plan that prunes most costs and keeps."""
    found = by_plan(rows)
    cost = 100 * _mean(found[_CLAIMED], "cost", TASKS)
    means = [
        100 * _mean(found[plan], "accuracy", tasks)
        for tasks in (TASKS, REAL_USERS)
        for plan in (_CLAIMED, OFF)
    ]
    return (
        "**Pruned to {:.0f}% of the token-layers, and adapted to it (`{}`), the encoder answers "
        "{:.1f}% of seven tasks right that it was not trained on, un-pruned {:.1f}%; of the three "
        "with messages of real users {:.1f}% and {:.1f}%.**"
    ).format(cost, _CLAIMED, *means)


def _mean(own: Mapping[str, Row], field: str, tasks: Sequence[str]) -> float:
    return float(np.mean([own[task][field] for task in tasks]))


def _gain(own: Mapping[str, Row], base: Mapping[str, Row], tasks: Sequence[str]) -> str:
    gains = [100 * (own[task]["accuracy"] - base[task]["accuracy"]) for task in tasks]
    return f"{np.mean(gains):+.1f}"


def times_table(rows: Rows) -> str:
    """Returns time by plan and length, as a share of the un-pruned encoder's, beside the cost."""
    lengths = in_order(rows, "tokens")
    own = {(row["plan"], row["tokens"]): row for row in rows}
    base = {n: own[OFF, n]["median_ms"] for n in lengths}
    lines = [[f"`{OFF}`, ms", *(f"{base[n]:.2f}" for n in lengths)]]
    for plan in in_order(rows, "plan"):
        if plan != OFF:
            found = [own[plan, n] for n in lengths]
            cells = [
                f"{row['median_ms'] / base[row['tokens']]:.2f} / {row['cost']:.2f}" for row in found
            ]
            lines.append([f"`{plan}`", *cells])
    head = ["time / cost, share of un-pruned", *(f"{n} tokens" for n in lengths)]
    about = ", ".join(sorted({f"{row['backend']} {row['precision']}" for row in rows}))
    return f"{markdown_table(head, lines)}\n\n{about}; 1 thread, batch size 1, medians."


_DOCUMENT, _CARD = "docs/adapters.md", "rasa_tokprune/encoder/adapters/README.md"
_ROWS, _TRIALS = ("adapters.jsonl",), ("search_trials.jsonl",)
TABLES = (
    Table("adapter_claim_line", "README.md", _ROWS, claim_line),
    Table("adapter_claim", "README.md", _ROWS, claim_table),
    Table("adapter_claim", _CARD, _ROWS, claim_table),
    Table("adapter_plans", _DOCUMENT, _ROWS, plans_table),
    Table("plan_times", _DOCUMENT, ("plan_times.jsonl",), times_table),
    Table("search_sweep", _DOCUMENT, _TRIALS, sweep_table),
    Table("search", _DOCUMENT, _TRIALS, front_table),
    Table("plans_compared", _DOCUMENT, _TRIALS, compared_table),
)
PLOTS = (Plot("docs/search.png", _TRIALS, draw_trials),)
