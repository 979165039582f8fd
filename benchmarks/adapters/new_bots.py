"""Tables of the shipped plans on bots that no adapter was trained on.

Rows are those of `rasa-tokprune evaluate` and of `benchmarks.accuracy.unseen`.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Mapping, Sequence

import numpy as np

from benchmarks.accuracy.tables import TASKS
from benchmarks.rows import Rows, in_order, select
from benchmarks.tables import markdown_table
from rasa_tokprune.encoder.plans.resolve import OFF

# Messages that users wrote to live bots and companies.
REAL_USERS = ("sofmattress", "powerplay11", "cfpb_long_20shot")
_LEFT_OUT = tuple(task for task in TASKS if task not in REAL_USERS)
_TWO_VIEWS = "two views"
# Tokens of a message, in the table of what to choose.
_LENGTHS = (8, 32, 128)

Row = Mapping[str, Any]
# Plan -> task -> row.
Found = Dict[str, Dict[str, Row]]


@dataclasses.dataclass(frozen=True)
class Entry:
    """A plan with an adapter, by its names in the rows.

    Attributes:
        text: In tables.
        shipped: In the rows of `rasa-tokprune evaluate`, with the shipped adapter.
        left_out: There, with the adapter of the same recipe without the left-out tasks.
        unseen: In the rows of `benchmarks.accuracy.unseen`.
    """

    text: str
    shipped: str
    left_out: str
    unseen: str


ENTRIES = (
    Entry("`off`, the original model", OFF, OFF, OFF),
    Entry("`off` with `adapter: light`", "off, adapter light", "off, adapter left_out_light",
          "off+light"),
    Entry("`light`, the default", "light", "light, adapter left_out_light", "light"),
    Entry("`balanced`", "balanced", "balanced, adapter left_out_balanced", "balanced"),
    Entry("`fast`", "fast", "fast, adapter left_out_fast", "fast"),
)  # fmt: skip


def by_plan(rows: Rows) -> Found:
    """Returns the rows by plan and task, in the order of the file."""
    found: Found = {}
    for row in rows:
        found.setdefault(row["plan"], {})[row["task"]] = row
    return found


def new_accuracies(fixed: Rows, drawn: Rows, entry: Entry) -> Dict[str, float]:
    """Returns accuracy in percent on every set that no adapter was trained on, by name.

    Args:
        fixed: Rows of `rasa-tokprune evaluate`.
        drawn: Rows of `benchmarks.accuracy.unseen`; draws of a set are averaged.
        entry: Whose.
    """
    own = by_plan(fixed)[entry.shipped]
    found = {task: 100 * own[task]["accuracy"] for task in REAL_USERS}
    for name in in_order(drawn, "set"):
        rows = select(drawn, set=name, plan=entry.unseen, views=_TWO_VIEWS)
        found[name] = 100 * float(np.mean([row["accuracy"] for row in rows]))
    return found


def gains(fixed: Rows, drawn: Rows, entry: Entry) -> Dict[str, float]:
    """Returns what a plan gains on each of those sets over the original model, in points."""
    base = new_accuracies(fixed, drawn, ENTRIES[0])
    return {name: value - base[name] for name, value in new_accuracies(fixed, drawn, entry).items()}


def new_bots_table(fixed: Rows, drawn: Rows) -> str:
    """Returns accuracy on sets that were not trained on: means, the worst, and single ones."""
    found = by_plan(fixed)
    head = [
        "accuracy %",
        "token-layers",
        f"mean of {_n_sets(drawn)}",
        "against un-pruned",
        "worst set",
    ]
    head += [_judged_text(drawn), *REAL_USERS, *(f"{task} (left out)" for task in _LEFT_OUT)]
    lines = []
    for entry in ENTRIES:
        own, difference = new_accuracies(fixed, drawn, entry), gains(fixed, drawn, entry)
        cost = mean_of(found[entry.shipped], "cost", TASKS)
        judged = [value for name, value in own.items() if name not in REAL_USERS]
        cells = [f"{cost:.2f}", f"{np.mean(list(own.values())):.1f}"]
        cells += [""] * 2 if entry.unseen == OFF else [_with_error(difference), _worst(difference)]
        cells += [f"{np.mean(judged):.1f}", *(f"{own[task]:.1f}" for task in REAL_USERS)]
        left_out = found[entry.left_out]
        cells += [f"{100 * left_out[task]['accuracy']:.1f}" for task in _LEFT_OUT]
        lines.append([entry.text, *cells])
    return markdown_table(head, lines, is_spaced=True)


def new_bots_trust_table(fixed: Rows, drawn: Rows) -> str:
    """Returns AUROC of telling out of scope, and calibration error, on the same sets."""
    found = by_plan(fixed)
    scoped = ("sofmattress", "powerplay11")
    head = ["plan", f"AUROC: {_judged_text(drawn)}", *scoped, "clinc150_5shot (left out)"]
    head += [f"calibration error: {_judged_text(drawn)}", *REAL_USERS]
    lines = []
    for entry in ENTRIES:
        judged = select(drawn, plan=entry.unseen, views=_TWO_VIEWS)
        own = found[entry.shipped]
        cells = [f"{np.mean([row['oos_auroc'] for row in judged]):.3f}"]
        cells += [f"{own[task]['oos_auroc']:.3f}" for task in scoped]
        cells.append(f"{found[entry.left_out]['clinc150_5shot']['oos_auroc']:.3f}")
        cells.append(f"{np.mean([row['ece'] for row in judged]):.3f}")
        cells += [f"{own[task]['ece']:.3f}" for task in REAL_USERS]
        lines.append([entry.text, *cells])
    return markdown_table(head, lines, is_spaced=True)


def new_sets_table(drawn: Rows) -> str:
    """Returns what each plan gains on each judge set, with the standard error over its bots."""
    plans = [entry for entry in ENTRIES if entry.unseen != OFF]
    lines = []
    for name in in_order(drawn, "set"):
        base = _by_seed(drawn, name, OFF)
        cells = [f"{np.mean(list(base.values())):.1f}"]
        for entry in plans:
            own = _by_seed(drawn, name, entry.unseen)
            cells.append(_with_error({str(seed): own[seed] - base[seed] for seed in base}))
        lines.append([name, *cells])
    head = ["accuracy %", "`off`", *(entry.text.partition(",")[0] for entry in plans)]
    return markdown_table(head, lines, is_spaced=True)


def _by_seed(drawn: Rows, name: str, plan: str) -> Dict[int, float]:
    rows = select(drawn, set=name, plan=plan, views=_TWO_VIEWS)
    return {row["seed"]: 100 * row["accuracy"] for row in rows}


def claim_table(fixed: Rows, drawn: Rows) -> str:
    """Returns cost and accuracy of the shipped plans on sets that were not trained on."""
    return markdown_table(_claim_head(drawn), _claim_lines(fixed, drawn), is_spaced=True)


def choice_table(fixed: Rows, drawn: Rows, times: Rows) -> str:
    """Returns the same with the time of one message, as a share of the un-pruned encoder's."""
    own = {(row["plan"], row["tokens"]): row["median_ms"] for row in times}
    head = [*_claim_head(drawn), *(f"time at {n} tokens" for n in _LENGTHS)]
    lines = []
    for entry, cells in zip(ENTRIES, _claim_lines(fixed, drawn)):
        shares = [
            f"{own[entry.unseen, n] / own[OFF, n]:.2f}" if (entry.unseen, n) in own else ""
            for n in _LENGTHS
        ]
        lines.append([*cells, *[""] * (len(head) - len(cells) - len(shares)), *shares])
    return markdown_table(head, lines, is_spaced=True)


def _claim_head(drawn: Rows) -> List[str]:
    head = ["plan", "token-layers", f"accuracy %, mean of {_n_sets(drawn)} sets"]
    return [*head, "against un-pruned", "worst set"]


def _claim_lines(fixed: Rows, drawn: Rows) -> List[List[str]]:
    """Returns the cells of each entry; none of what the original model is compared in."""
    found = by_plan(fixed)
    lines = []
    for entry in ENTRIES:
        own, difference = new_accuracies(fixed, drawn, entry), gains(fixed, drawn, entry)
        cost = mean_of(found[entry.shipped], "cost", TASKS)
        cells = [f"{cost:.2f}", f"{np.mean(list(own.values())):.1f}"]
        cells += [] if entry.unseen == OFF else [_with_error(difference), _worst(difference)]
        lines.append([entry.text, *cells])
    return lines


def _with_error(difference: Mapping[str, float]) -> str:
    values = np.array(list(difference.values()))
    return f"{values.mean():+.1f} ± {values.std(ddof=1) / np.sqrt(len(values)):.1f}"


def _worst(difference: Mapping[str, float]) -> str:
    name = min(difference, key=lambda each: difference[each])
    return f"{difference[name]:+.1f} ({name})"


def mean_of(own: Mapping[str, Row], field: str, tasks: Sequence[str]) -> float:
    """Returns the mean of a field over some tasks of a plan."""
    return float(np.mean([own[task][field] for task in tasks]))


def _judged_text(drawn: Rows) -> str:
    return f"{len(in_order(drawn, 'set'))} judge sets"


def _n_sets(drawn: Rows) -> int:
    return len(REAL_USERS) + len(in_order(drawn, "set"))
