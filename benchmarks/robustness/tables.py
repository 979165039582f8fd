"""Tables and the plot: answers that pruning changes, messages without content, a large intent."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from benchmarks.bots import DEFAULT, plan_text
from benchmarks.plots import draw_both
from benchmarks.robustness.tokens import PLACES
from benchmarks.rows import Rows, in_order, select
from benchmarks.tables import Plot, Table, markdown_table
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.plots.panel import Panel

# Of small intents' recall, that a large intent may cost.
_MAX_LOSS = 0.02
_ANY_NAME = "a name in front"


def kinds_table(rows: Rows) -> str:
    """Returns changed answers by kind of message and plan, and what is right, over all tasks."""
    own = [row for row in rows if "kind" in row]
    plans = in_order(own, "plan")
    pruned = [plan for plan in plans if plan != OFF]
    head = ["messages", "n", *(f"`{plan}` changes %" for plan in pruned)]
    head += [f"`{plan}` right %" for plan in plans]
    lines = []
    for kind in in_order(own, "kind"):
        totals = {plan: _sum(own, plan, kind) for plan in plans}
        cells = [f"{100 * totals[plan]['flips'] / totals[plan]['n']:.1f}" for plan in pruned]
        for plan in plans:  # a negated message may mean another intent
            right = 100 * totals[plan]["right"] / totals[plan]["n"]
            cells.append("" if kind == "negated" else f"{right:.1f}")
        lines.append([kind, str(totals[plans[0]]["n"]), *cells])
    return markdown_table(head, lines, is_spaced=True)


def tokens_table(rows: Rows) -> str:
    """Returns the share of tokens that each plan prunes, by class and place."""
    own = [row for row in rows if "group" in row]
    plans = [plan for plan in in_order(own, "plan") if plan != OFF]
    lines = []
    named = {(row["group"], row["name"]) for row in own}
    for group, name in sorted(named, key=_reading_order):
        cells = []
        for plan in plans:
            chosen = select(own, plan=plan, group=group, name=name)
            n_tokens = sum(row["n_tokens"] for row in chosen)
            cells.append(f"{100 * sum(row['n_pruned'] for row in chosen) / n_tokens:.0f}")
        lines.append([group, name, str(n_tokens), *cells])
    head = ["", "tokens", "n", *(f"`{plan}` prunes %" for plan in plans)]
    return markdown_table(head, lines, is_spaced=True)


def opposites_table(rows: Rows) -> str:
    """Returns how near each plan puts messages to their negations."""
    own = [row for row in rows if row.get("opposites")]
    lines = []
    for plan in in_order(own, "plan"):
        chosen = select(own, plan=plan)
        n_pairs = sum(row["opposites"] for row in chosen)
        cosine = sum(row["opposites"] * row["cosine"] for row in chosen) / n_pairs
        same = 100 * sum(row["same"] for row in chosen) / n_pairs
        lines.append([plan, str(n_pairs), f"{cosine:.3f}", f"{same:.1f}"])
    head = ["plan", "pairs", "mean cosine", "same answer %"]
    return markdown_table(head, lines, is_spaced=True)


def content_free_table(rows: Rows) -> str:
    """Returns what share of the messages without content each plan answers, and what that costs."""
    kinds = list(rows[0]["content_free"])
    head = ["plan", "views", "answered %", *(f"{kind} %" for kind in kinds)]
    head += ["in scope, rejected %", "in scope, right %"]
    lines = []
    for plan in in_order(rows, "plan"):
        for weight in in_order(rows, "lexical_weight"):
            chosen = select(rows, plan=plan, lexical_weight=weight)
            asked = {kind: [row["content_free"][kind] for row in chosen] for kind in kinds}
            own = [each for row in chosen for each in row["in_scope"].values()]
            cells = [_share(list(itertools.chain(*asked.values())), "answered")]
            cells += [_share(asked[kind], "answered") for kind in kinds]
            views = "embedding" if weight == 0 else "both"
            lines.append(
                [plan_text(chosen[0]), views, *cells, _share(own, "lost"), _share(own, "right")]
            )
    return markdown_table(head, lines, n_left=2, is_spaced=True)


def imbalance_table(rows: Rows) -> str:
    """Returns what bots answer beside a large intent, by plan, its size and the advantage."""
    head = ["plan", "sizes", "advantage", "small intents: recall %", "messages", "wrong"]
    head += ["of these, the large intent", "of these, sure", "large intent: recall %", "messages"]
    lines = []
    for plan, sizes, advantage in itertools.product(
        *(in_order(rows, field) for field in ("plan", "sizes", "advantage"))
    ):
        chosen = select(rows, plan=plan, sizes=sizes, advantage=advantage)
        sums = [sum(r["small"][key] for r in chosen) for key in ("n", "wrong", "to_large", "sure")]
        cells = [f"{100 * _mean_recall(chosen, 'small'):.1f}", *map(str, sums)]
        cells += [f"{100 * _mean_recall(chosen, 'large'):.1f}"]
        cells += [str(sum(row["large"]["n"] for row in chosen))]
        lines.append([plan_text(chosen[0]), sizes, f"{advantage:g}", *cells])
    return markdown_table(head, lines, n_left=2, is_spaced=True)


def chosen_advantage(rows: Rows) -> Optional[float]:
    """Returns the smallest advantage with which small intents keep two points beside a large one.

    Their recall is compared with that of the even bots, under the default plan and with the same
    advantage. None if no tried value does.
    """
    for advantage in sorted(in_order(rows, "advantage")):
        own = select(rows, plan=DEFAULT, advantage=advantage)
        even, uneven = (
            _mean_recall(select(own, sizes=sizes), "small") for sizes in ("even", "uneven")
        )
        if even - uneven <= _MAX_LOSS:
            return float(advantage)
    return None


def _mean_recall(rows: Rows, kind: str) -> float:
    return sum(row[kind]["recall"] for row in rows) / len(rows)


def _share(counts: Rows, field: str) -> str:
    return f"{100 * sum(each[field] for each in counts) / sum(each['n'] for each in counts):.1f}"


def draw_flips(rows: Rows, path: Path) -> None:
    """Draws the share of changed answers by kind of message, one mark for each plan.

    Messages with a name in front are one kind here, whosever the name is.
    """
    own = [{**row, "kind": _plot_kind(row["kind"])} for row in rows if "kind" in row]
    kinds = in_order(own, "kind")
    plans = [plan for plan in in_order(own, "plan") if plan != OFF]

    def draw(panels: List[Panel]) -> None:
        (panel,) = panels
        for plan in plans:
            totals = [_sum(own, plan, kind) for kind in kinds]
            rates = [100 * total["flips"] / total["n"] for total in totals]
            for place, rate in enumerate(rates):
                panel.point(rate, place, thing=plan, label="" if place else plan)
        panel.rows(kinds)
        panel.axis.set_ylim(len(kinds) - 0.5, -1.1)  # words above the first row
        panel.describe(
            title="Answers that a plan changes, by how the message is written",
            x="answers other than the un-pruned encoder's, %",
        )
        panel.axis.set_xlim(left=-0.5)

    draw_both(path, draw, height=0.34 * len(kinds) + 1.1)


def _plot_kind(kind: str) -> str:
    return _ANY_NAME if kind.startswith("name: ") else kind


def _reading_order(named: Tuple[str, str]) -> Tuple[str, int, str]:
    group, name = named
    return group, PLACES.index(name) if name in PLACES else 0, name


def _sum(rows: Rows, plan: str, kind: str) -> Dict[str, int]:
    chosen = select(rows, plan=plan, kind=kind)
    return {key: sum(row[key] for row in chosen) for key in ("n", "flips", "right")}


_DOCUMENT, _ROWS = "docs/robustness.md", ("flips.jsonl",)
_CONTENT_FREE = ("content_free.jsonl",)
TABLES = (
    Table("flips_kinds", _DOCUMENT, _ROWS, kinds_table),
    Table("flips_tokens", _DOCUMENT, _ROWS, tokens_table),
    Table("flips_opposites", _DOCUMENT, _ROWS, opposites_table),
    Table("content_free", _DOCUMENT, _CONTENT_FREE, content_free_table),
    Table("imbalance", _DOCUMENT, ("imbalance.jsonl",), imbalance_table),
)
PLOTS = (Plot("docs/robustness.png", _ROWS, draw_flips),)
