r"""Tables of the shipped plans with their adapters, from rows of `rasa-tokprune evaluate`.

python -m rasa_tokprune.evaluation.adapter_table --data docs/data/adapters.jsonl \
    --markdown docs/adapters.md --readme README.md

Plans named `X without T` are those whose adapter never saw task T; they count on T only.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Callable, Dict, Mapping, Sequence

import numpy as np

from rasa_tokprune.encoder.plans import OFF
from rasa_tokprune.evaluation.decision_table import TASKS
from rasa_tokprune.evaluation.rasa_table import read_rows
from rasa_tokprune.evaluation.report_command import markdown_table, update_tables

PLANS_MARKER, LEFT_OUT_MARKER = "adapter_plans", "adapter_left_out"
CLAIM_MARKER, CLAIM_LINE_MARKER = "adapter_claim", "adapter_claim_line"
_CLAIMED = "fast"
_SHIPPED = (OFF, "light", "balanced", "fast")
# No adapter was ever trained on these.
NEVER_TRAINED = ("sofmattress", "powerplay11", "cfpb_long_20shot")
WITHOUT = " without "

Row = Mapping[str, Any]
# Plan -> task -> row.
Found = Dict[str, Dict[str, Row]]


def by_plan(rows: Sequence[Row]) -> Found:
    """Returns the rows by plan and task, in the order of the file."""
    found: Found = {}
    for row in rows:
        name = row["plan"].replace("_without_", WITHOUT)  # an adapter file's name has no blanks
        found.setdefault(name, {})[row["task"]] = row
    return found


def plans_table(rows: Sequence[Row]) -> str:
    """Returns accuracy by plan and task, with cost and the means that the targets are set in."""
    found = {plan: own for plan, own in by_plan(rows).items() if WITHOUT not in plan}
    base = found[OFF]
    head = ["accuracy %", "cost", *TASKS, "mean", "against un-pruned", "never trained on"]
    lines = []
    for plan, own in found.items():
        accuracies = [100 * own[task]["accuracy"] for task in TASKS]
        cost = float(np.mean([own[task]["cost"] for task in TASKS]))
        cells = [f"{cost:.3f}", *(f"{value:.1f}" for value in accuracies)]
        cells.append(f"{np.mean(accuracies):.1f}")
        cells += [
            "" if plan == OFF else _gain(own, base, tasks) for tasks in (TASKS, NEVER_TRAINED)
        ]
        lines.append([f"`{plan}`", *cells])
    return markdown_table(head, lines)


def left_out_table(rows: Sequence[Row]) -> str:
    """Returns accuracy on tasks that an adapter never saw, beside that of the un-adapted model."""
    found = by_plan(rows)
    base = found[OFF]
    lines = []
    for plan, own in found.items():
        name, without, left_out = plan.partition(WITHOUT)
        for task, row in own.items() if without else ():
            cells = [left_out, task, f"{100 * base[task]['accuracy']:.1f}"]
            cells += [f"{100 * row['accuracy']:.1f}", _gain(own, base, [task])]
            lines.append([f"`{name}`", *cells])
    head = ["plan", "left out", "task", "un-pruned, un-adapted %", "accuracy %", "against it"]
    return markdown_table(head, sorted(lines))


def claim_table(rows: Sequence[Row]) -> str:
    """Returns cost and mean accuracy of the shipped plans, on all tasks and on untouched ones."""
    found = by_plan(rows)
    head = ["plan", "token-layers", "accuracy %, mean of 7 tasks", "of 3 that no adapter saw"]
    lines = []
    for plan in _SHIPPED:
        own = found[plan]
        cost = float(np.mean([own[task]["cost"] for task in TASKS]))
        means = [
            100 * float(np.mean([own[task]["accuracy"] for task in tasks]))
            for tasks in (TASKS, NEVER_TRAINED)
        ]
        lines.append([f"`{plan}`", f"{cost:.2f}", *(f"{mean:.1f}" for mean in means)])
    return markdown_table(head, lines)


def claim_line(rows: Sequence[Row]) -> str:
    """Returns in one sentence what the plan that prunes most costs and keeps."""
    found = by_plan(rows)
    cost = 100 * float(np.mean([found[_CLAIMED][task]["cost"] for task in TASKS]))
    means = [
        100 * float(np.mean([found[plan][task]["accuracy"] for task in tasks]))
        for tasks in (TASKS, NEVER_TRAINED)
        for plan in (_CLAIMED, OFF)
    ]
    return (
        "**Pruned to {:.0f}% of the token-layers, and adapted to it (`{}`), the encoder answers "
        "{:.1f}% of seven tasks right, un-pruned {:.1f}%; of the three tasks new to the adapter "
        "{:.1f}% and {:.1f}%.**"
    ).format(cost, _CLAIMED, *means)


TABLES: Dict[str, Callable[[Sequence[Row]], str]] = {
    PLANS_MARKER: plans_table,
    LEFT_OUT_MARKER: left_out_table,
}
CLAIMS: Dict[str, Callable[[Sequence[Row]], str]] = {
    CLAIM_LINE_MARKER: claim_line,
    CLAIM_MARKER: claim_table,
}


def _gain(own: Mapping[str, Row], base: Mapping[str, Row], tasks: Sequence[str]) -> str:
    gains = [100 * (own[task]["accuracy"] - base[task]["accuracy"]) for task in tasks]
    return f"{np.mean(gains):+.1f}"


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--markdown", type=Path, required=True)
    parser.add_argument("--readme", type=Path, help="document with the short table, the sentence")
    arguments = parser.parse_args()
    rows = read_rows(arguments.data)
    update_tables(arguments.markdown, rows, TABLES)
    if arguments.readme is not None:
        text = arguments.readme.read_text(encoding="utf-8")
        present = {marker: own for marker, own in CLAIMS.items() if f"table:{marker} " in text}
        update_tables(arguments.readme, rows, present)


if __name__ == "__main__":
    main()
