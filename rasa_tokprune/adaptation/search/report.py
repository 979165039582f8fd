r"""The tables and the plot of a search's trials.

Trials with one judge are the search; those with several are a comparison of few plans, in a table
of its own.

python -m rasa_tokprune.adaptation.search.report --data docs/data/search_trials.jsonl \
    --markdown docs/adapters.md --plot docs/search.png
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, Sequence

from rasa_tokprune.adaptation.search.halving import front
from rasa_tokprune.adaptation.search.plot import draw_search
from rasa_tokprune.adaptation.student import Importance
from rasa_tokprune.evaluation.report_command import markdown_table, run_report

SWEEP_MARKER, FRONT_MARKER, COMPARED_MARKER = "search_sweep", "search", "plans_compared"

Row = Mapping[str, Any]


def sweep_table(rows: Sequence[Row]) -> str:
    """Returns the reference paper's quantiles after layer 1, un-adapted, with the controls."""
    modes = [("freeze", Importance.ATTENTION), ("drop", Importance.ATTENTION)]
    modes += [("freeze", Importance.RANDOM), ("freeze", Importance.INVERSE)]
    lines = [
        "| quantile after layer 1 | frozen, by attention | dropped, by attention "
        "| frozen, random tokens | frozen, most attended tokens |",
        "|---|--:|--:|--:|--:|",
    ]
    found: Dict[Any, Row] = {}
    for row in _of_one_judge(rows):
        thresholds = [(layer, q) for layer, q in enumerate(row["plan"]["thresholds"]) if q]
        whole = len(row["plan"]["kept_layers"]) == row["plan"]["n_layers"]
        if row["steps"] == 0 and whole and not row["plan"]["min_tokens"]:
            key = (tuple(thresholds), row["plan"]["mode"], row["importance"])
            found[key] = row
    off = found.get(((), "freeze", Importance.ATTENTION.value))
    lines.append(f"| 0 (cost 1.00) | {_cell(off)} | | | |")
    for quantile in sorted({key[0][0][1] for key in found if len(key[0]) == 1}):
        keys = [((1, quantile),)]
        own = [found.get((keys[0], mode, importance.value)) for mode, importance in modes]
        cost = f" (cost {own[0]['cost']:.2f})" if own[0] else ""
        cells = ["" if row is None else _percent(row) for row in own]
        lines.append(f"| {quantile:g}{cost} | {' | '.join(cells)} |")
    return "\n".join(lines)


def front_table(rows: Sequence[Row]) -> str:
    """Returns every plan that was trained, by cost, and the fronts of the un-trained round."""
    rows = _of_one_judge(rows)
    own = [row for row in rows if row["importance"] == Importance.ATTENTION.value]
    by_steps: Dict[int, Dict[str, Row]] = {}
    for row in own:
        by_steps.setdefault(row["steps"], {})[row["fingerprint"]] = row
    by_steps.setdefault(0, {})
    first, *later = (by_steps[steps] for steps in sorted(by_steps))
    best = [list(first.values())[index] for index in front(_points(list(first.values())))]
    chosen = {row["fingerprint"]: row for row in best}
    for trained in later:
        chosen.update(trained)
    head = [f"{steps} steps" for steps in sorted(by_steps)]
    last = max(by_steps)
    head += [f"{kind}, {last} steps" for kind in ("random tokens", "most attended")]
    lines = [f"| plan | cost | {' | '.join(head)} |", f"|---|--:|{'--:|' * len(head)}"]
    for fingerprint, row in sorted(chosen.items(), key=lambda each: -each[1]["cost"]):
        cells = [_cell(own_round.get(fingerprint)) for own_round in (first, *later)]
        for control in (Importance.RANDOM, Importance.INVERSE):
            same = [
                each
                for each in rows
                if each["importance"] == control.value
                and each["steps"] == last
                and each["fingerprint"] == fingerprint
            ]
            cells.append(_cell(same[0] if same else None))
        lines.append(f"| {row['plan']['name']} | {row['cost']:.2f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def compared_table(rows: Sequence[Row]) -> str:
    """Returns plans judged on several data sets, un-adapted, by cost, with the controls' means."""
    own = [row for row in rows if len(row["judges"]) > 1 and row["steps"] == 0]
    judges = sorted({judge for row in own for judge in row["judges"]})
    found = {(row["fingerprint"], row["importance"]): row for row in own}
    lines = []
    for row in sorted(own, key=lambda each: (-each["cost"], each["plan"]["name"])):
        if row["importance"] != Importance.ATTENTION.value:
            continue
        controls = (
            found.get((row["fingerprint"], control.value))
            for control in (Importance.RANDOM, Importance.INVERSE)
        )
        cells = [row["plan"]["name"], f"{row['cost']:.3f}"]
        cells += [_percent(row["judges"][judge]) for judge in judges]
        lines.append([*cells, _percent(row), *map(_cell, controls)])
    head = ["plan", "cost", *judges, "mean", "random tokens", "most attended"]
    return markdown_table(head, lines)


TABLES: Dict[str, Callable[[Sequence[Row]], str]] = {
    SWEEP_MARKER: sweep_table,
    FRONT_MARKER: front_table,
    COMPARED_MARKER: compared_table,
}


def _of_one_judge(rows: Sequence[Row]) -> List[Row]:
    return [row for row in rows if len(row["judges"]) == 1]


def _points(rows: List[Row]) -> List[Any]:
    return [(row["cost"], row["accuracy"]) for row in rows]


def _cell(row: Any) -> str:
    return "" if row is None else _percent(row)


def _percent(row: Row) -> str:
    return f"{100 * row['accuracy']:.1f} ({100 * row['agreement']:.0f})"


if __name__ == "__main__":
    run_report(str(__doc__), TABLES, lambda rows, path: draw_search(_of_one_judge(rows), path))
