r"""Tables and a plot of whose answers pruning changes, from the rows of `measure`.

python -m rasa_tokprune.evaluation.flips.report --data docs/data/flips.jsonl \
    --markdown docs/robustness.md --plot docs/robustness.png
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Sequence, Tuple

from rasa_tokprune.encoder.plans import OFF
from rasa_tokprune.evaluation.flips.tokens import PLACES
from rasa_tokprune.evaluation.report_command import markdown_table, run_report

KINDS_MARKER, TOKENS_MARKER, OPPOSITES_MARKER = "flips_kinds", "flips_tokens", "flips_opposites"

Row = Mapping[str, Any]


def kinds_table(rows: Sequence[Row]) -> str:
    """Returns changed answers by kind of message and plan, and what is right, over all tasks."""
    own = [row for row in rows if "kind" in row]
    plans = _names(own, "plan")
    pruned = [plan for plan in plans if plan != OFF]
    head = ["messages", "n", *(f"`{plan}` changes %" for plan in pruned)]
    head += [f"`{plan}` right %" for plan in plans]
    lines = []
    for kind in _names(own, "kind"):
        totals = {plan: _sum(own, plan, kind) for plan in plans}
        cells = [f"{100 * totals[plan]['flips'] / totals[plan]['n']:.1f}" for plan in pruned]
        for plan in plans:  # a negated message may mean another intent
            right = 100 * totals[plan]["right"] / totals[plan]["n"]
            cells.append("" if kind == "negated" else f"{right:.1f}")
        lines.append([kind, str(totals[plans[0]]["n"]), *cells])
    return markdown_table(head, lines)


def tokens_table(rows: Sequence[Row]) -> str:
    """Returns the share of tokens that each plan prunes, by class and place."""
    own = [row for row in rows if "group" in row]
    plans = [plan for plan in _names(own, "plan") if plan != OFF]
    lines = []
    named = {(row["group"], row["name"]) for row in own}
    for group, name in sorted(named, key=_reading_order):
        cells = []
        for plan in plans:
            chosen = [r for r in own if (r["plan"], r["group"], r["name"]) == (plan, group, name)]
            n_tokens = sum(row["n_tokens"] for row in chosen)
            cells.append(f"{100 * sum(row['n_pruned'] for row in chosen) / n_tokens:.0f}")
        lines.append([group, name, str(n_tokens), *cells])
    return markdown_table(["", "tokens", "n", *(f"`{plan}` prunes %" for plan in plans)], lines)


def opposites_table(rows: Sequence[Row]) -> str:
    """Returns how near each plan puts messages to their negations."""
    own = [row for row in rows if row.get("opposites")]
    lines = []
    for plan in _names(own, "plan"):
        chosen = [row for row in own if row["plan"] == plan]
        n_pairs = sum(row["opposites"] for row in chosen)
        cosine = sum(row["opposites"] * row["cosine"] for row in chosen) / n_pairs
        same = 100 * sum(row["same"] for row in chosen) / n_pairs
        lines.append([plan, str(n_pairs), f"{cosine:.3f}", f"{same:.1f}"])
    return markdown_table(["plan", "pairs", "mean cosine", "same answer %"], lines)


TABLES: Dict[str, Callable[[Sequence[Row]], str]] = {
    KINDS_MARKER: kinds_table,
    TOKENS_MARKER: tokens_table,
    OPPOSITES_MARKER: opposites_table,
}


def draw_flips(rows: Sequence[Row], path: Path) -> None:
    """Draws the share of changed answers by kind of message, one bar for each plan."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    own = [row for row in rows if "kind" in row]
    kinds = _names(own, "kind")
    plans = [plan for plan in _names(own, "plan") if plan != OFF]
    figure, axis = plt.subplots(figsize=(9, 0.36 * len(kinds) + 1.2))
    height = 0.8 / len(plans)
    for number, plan in enumerate(plans):
        totals = [_sum(own, plan, kind) for kind in kinds]
        rates = [100 * total["flips"] / total["n"] for total in totals]
        places = [index + number * height for index in range(len(kinds))]
        axis.barh(places, rates, height=height, label=plan)
    axis.set_yticks([index + 0.4 - height / 2 for index in range(len(kinds))])
    axis.set_yticklabels(kinds)
    axis.invert_yaxis()
    axis.set_xlabel("answers that differ from the un-pruned encoder's, %")
    axis.grid(axis="x", alpha=0.3)
    axis.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _reading_order(named: Tuple[str, str]) -> Tuple[str, int, str]:
    group, name = named
    return group, PLACES.index(name) if name in PLACES else 0, name


def _names(rows: Sequence[Row], key: str) -> List[str]:
    return list(dict.fromkeys(row[key] for row in rows))


def _sum(rows: Sequence[Row], plan: str, kind: str) -> Dict[str, int]:
    chosen = [row for row in rows if row["plan"] == plan and row["kind"] == kind]
    return {key: sum(row[key] for row in chosen) for key in ("n", "flips", "right")}


if __name__ == "__main__":
    run_report(str(__doc__), TABLES, draw_flips)
