"""The tables and the plot of a search's trials.

Trials with one judge are the search; those with several are a comparison of few plans, in a table
of its own.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

import numpy as np

from benchmarks.plots import draw_both
from benchmarks.rows import Rows, select
from benchmarks.tables import markdown_table
from rasa_tokprune.commands.adapt.search.halving import front
from rasa_tokprune.commands.adapt.search.plot import SHAPE, draw_panels
from rasa_tokprune.commands.adapt.training.student import Importance

Row = Mapping[str, Any]
_ATTENTION, _RANDOM, _INVERSE = (
    each.value for each in (Importance.ATTENTION, Importance.RANDOM, Importance.INVERSE)
)
# The columns of the sweep: how pruned tokens are treated, and by what they are chosen.
_SWEPT = {
    ("freeze", _ATTENTION): "frozen, by attention",
    ("drop", _ATTENTION): "dropped, by attention",
    ("freeze", _RANDOM): "frozen, random tokens",
    ("freeze", _INVERSE): "frozen, most attended tokens",
}


def sweep_table(rows: Rows) -> str:
    """Returns quantiles after layer 1, the paper's and more, un-adapted, with the controls."""
    found: Dict[Any, Row] = {}
    for row in select(_of_one_judge(rows), steps=0):
        thresholds = [(layer, q) for layer, q in enumerate(row["plan"]["thresholds"]) if q]
        is_whole = len(row["plan"]["kept_layers"]) == row["plan"]["n_layers"]
        if is_whole and not row["plan"]["min_tokens"]:
            found[tuple(thresholds), row["plan"]["mode"], row["importance"]] = row
    lines = [["0 (cost 1.00)", _cell(found.get(((), "freeze", _ATTENTION)))]]
    for quantile in sorted({key[0][0][1] for key in found if len(key[0]) == 1}):
        own = [found.get((((1, quantile),), *column)) for column in _SWEPT]
        cost = f" (cost {own[0]['cost']:.2f})" if own[0] else ""
        lines.append([f"{quantile:g}{cost}", *map(_cell, own)])
    return markdown_table(["quantile after layer 1", *_SWEPT.values()], lines)


def front_table(rows: Rows) -> str:
    """Returns every plan that was trained, by cost, and the fronts of the un-trained round."""
    rows = _of_one_judge(rows)
    found = {(row["steps"], row["importance"], row["fingerprint"]): row for row in rows}
    rounds = sorted({0, *(row["steps"] for row in rows if row["importance"] == _ATTENTION)})
    columns = [(steps, _ATTENTION) for steps in rounds]
    columns += [(rounds[-1], control) for control in (_RANDOM, _INVERSE)]
    lines = []
    for fingerprint, row in sorted(_chosen(rows).items(), key=lambda each: -each[1]["cost"]):
        cells = [_cell(found.get((*column, fingerprint))) for column in columns]
        lines.append([row["plan"]["name"], f"{row['cost']:.2f}", *cells])
    head = ["plan", "cost", *(f"{steps} steps" for steps in rounds)]
    head += [f"{kind}, {rounds[-1]} steps" for kind in ("random tokens", "most attended")]
    return markdown_table(head, lines)


def _chosen(rows: Rows) -> Dict[str, Row]:
    """Returns what was on the front of the un-trained round, and what was trained."""
    own = select(rows, importance=_ATTENTION)
    first = list({row["fingerprint"]: row for row in select(own, steps=0)}.values())
    points = [(row["cost"], row["accuracy"]) for row in first]
    chosen = {first[index]["fingerprint"]: first[index] for index in front(points)}
    trained = sorted((row for row in own if row["steps"]), key=lambda row: row["steps"])
    return {**chosen, **{row["fingerprint"]: row for row in trained}}


def compared_table(rows: Rows) -> str:
    """Returns plans judged on several data sets, un-adapted, by cost, with the controls' means."""
    own = [row for row in rows if len(row["judges"]) > 1 and row["steps"] == 0]
    judges = sorted({judge for row in own for judge in row["judges"]})
    found = {(row["fingerprint"], row["importance"]): row for row in own}
    lines = []
    for row in sorted(own, key=lambda each: (-each["cost"], each["plan"]["name"])):
        if row["importance"] != _ATTENTION:
            continue
        controls = (found.get((row["fingerprint"], control)) for control in (_RANDOM, _INVERSE))
        cells = [row["plan"]["name"], f"{row['cost']:.3f}"]
        cells += [_percent(row["judges"][judge]) for judge in judges]
        lines.append([*cells, _percent(row), *map(_cell, controls)])
    head = ["plan", "cost", *judges, "mean", "random tokens", "most attended"]
    return markdown_table(head, lines, is_spaced=True)


def judged_table(rows: Rows) -> str:
    """Returns trained plans judged on many sets, by cost, beside controls trained alike.

    Behind the accuracy of a control stands how far it is from the plan's, with the standard error
    of the mean difference over the sets.
    """
    found = {(row["fingerprint"], row["importance"]): row for row in rows}
    lines = []
    for row in sorted(select(rows, importance=_ATTENTION), key=lambda each: -each["cost"]):
        own = [_percent(row)]
        for control in (_RANDOM, _INVERSE):
            other = found.get((row["fingerprint"], control))
            own.append("" if other is None else f"{_percent(other)}, {_difference(other, row)}")
        lines.append([row["plan"]["name"], f"{row['cost']:.3f}", *own])
    head = ["plan", "cost", "accuracy %", "random tokens", "most attended"]
    return markdown_table(head, lines, is_spaced=True)


def _difference(row: Row, other: Row) -> str:
    values = np.array(
        [100 * (row["judges"][name]["accuracy"] - other["judges"][name]["accuracy"])
         for name in row["judges"]]
    )  # fmt: skip
    return f"{values.mean():+.1f} ± {values.std(ddof=1) / np.sqrt(len(values)):.1f}"


def draw_trials(rows: Rows, path: Path) -> None:
    """Draws accuracy and agreement of the search's trials against cost."""
    own = _of_one_judge(rows)
    draw_both(path, lambda panels: draw_panels(own, panels), **SHAPE)


def _of_one_judge(rows: Rows) -> List[Row]:
    return [row for row in rows if len(row["judges"]) == 1]


def _cell(row: Optional[Row]) -> str:
    return "" if row is None else _percent(row)


def _percent(row: Row) -> str:
    return f"{100 * row['accuracy']:.1f} ({100 * row['agreement']:.0f})"
