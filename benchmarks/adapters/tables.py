"""Tables and the plot of the shipped plans with their adapters, and of how they were found.

Rows are those of `rasa-tokprune evaluate`, of `benchmarks.accuracy.unseen`, of `plan_times` and of
`rasa-tokprune adapt --search`.
"""

from __future__ import annotations

from benchmarks.accuracy.tables import TASKS
from benchmarks.adapters.choices_tables import looks_table, strengths_table
from benchmarks.adapters.new_bots import (
    REAL_USERS,
    by_plan,
    choice_table,
    claim_table,
    mean_of,
    new_bots_table,
    new_bots_trust_table,
    new_sets_table,
)
from benchmarks.adapters.search_tables import (
    compared_table,
    draw_trials,
    front_table,
    judged_table,
    sweep_table,
)
from benchmarks.rows import Rows, in_order
from benchmarks.tables import Plot, Table, markdown_table
from rasa_tokprune.encoder.plans.resolve import OFF


def plans_table(rows: Rows) -> str:
    """Returns accuracy by plan, adapter and task; a star marks what the adapter has seen."""
    found = by_plan(rows)
    lines = []
    for plan, own in found.items():
        cells = [f"{mean_of(own, 'cost', TASKS):.3f}"]
        cells += [f"{100 * own[task]['accuracy']:.1f}{_star(plan, task)}" for task in TASKS]
        lines.append([f"`{plan}`", *cells])
    return markdown_table(["accuracy %", "cost", *TASKS], lines, is_spaced=True)


def _star(plan: str, task: str) -> str:
    """Returns the mark of a task whose intents were in the training of a row's adapter."""
    is_original = plan == OFF or plan.endswith(", adapter off") or "left_out" in plan
    return "" if is_original or task in REAL_USERS else " *"


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
_NEW = (*_ROWS, "../accuracy/unseen.jsonl")
TABLES = (
    Table("adapter_claim", _CARD, _NEW, claim_table),
    Table("plan_choice", "docs/choosing-a-plan.md", (*_NEW, "plan_times.jsonl"), choice_table),
    Table("adapter_new_bots", _DOCUMENT, _NEW, new_bots_table),
    Table("adapter_new_bots_trust", _DOCUMENT, _NEW, new_bots_trust_table),
    Table("adapter_new_sets", _DOCUMENT, _NEW[1:], new_sets_table),
    Table("adapter_plans", _DOCUMENT, _ROWS, plans_table),
    Table("adapter_choices", _DOCUMENT, ("choices.jsonl",), looks_table),
    Table("adapter_strengths", _DOCUMENT, ("choices.jsonl",), strengths_table),
    Table("plan_times", _DOCUMENT, ("plan_times.jsonl",), times_table),
    Table("search_sweep", _DOCUMENT, _TRIALS, sweep_table),
    Table("search", _DOCUMENT, _TRIALS, front_table),
    Table("plans_judged", _DOCUMENT, ("judged_plans.jsonl",), judged_table),
    Table("plans_compared", _DOCUMENT, _TRIALS, compared_table),
)
PLOTS = (Plot("docs/search.png", _TRIALS, draw_trials),)
