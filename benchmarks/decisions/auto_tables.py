"""Tables of what `prune: auto` takes, by what it counts, and of what that really changes."""

from __future__ import annotations

import itertools
from typing import Any, Dict, List, Mapping, Optional, Tuple

import numpy as np

from benchmarks.rows import Rows, in_order, select
from benchmarks.tables import NOTHING, markdown_table
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.fewshot.certificate import Certificate, take_plan

LIMITS = (0.02, 0.05)
# Field of the counts -> what it is called.
COUNTS = {"intents": "top intents", "actions": "actions"}
_KINDS = {"training": "training, out of fold", "certify_on": "of users, `certify_on`"}
_BOT = ("set", "shots", "seed", "messages")


def auto_plans_table(rows: Rows) -> str:
    """Returns which plans are taken, and how often they change what the bot does for others.

    A line for each kind of messages that decide, examples an intent, limit, and what is counted.
    """
    if not rows:
        return NOTHING
    bots = list(_bots(rows).values())
    plans = [OFF, *in_order(rows, "plan")]
    lines = []
    for kind, shots in itertools.product(in_order(rows, "messages"), in_order(rows, "shots")):
        own = [bot for bot in bots if (bot[0]["messages"], bot[0]["shots"]) == (kind, shots)]
        for limit, counts in itertools.product(LIMITS, COUNTS) if own else ():
            taken = [taken_plan(bot, limit, counts) for bot in own]
            rates = [_rate(row) for row in taken if row is not None]
            names = [OFF if row is None else row["plan"] for row in taken]
            cells = [_KINDS[kind], str(shots), f"{100 * limit:g}", COUNTS[counts], str(len(own))]
            cells += [str(names.count(plan)) for plan in plans]
            # A bot that stays un-pruned changes nothing.
            cells.append(f"{100 * sum(rates) / len(own):.2f}")
            cells.append(str(sum(rate > limit for rate in rates)))
            lines.append(cells)
    head = ["messages that decide", "examples an intent", "limit %", "what is counted", "bots"]
    head += [f"`{plan}`" for plan in plans]
    head += ["actions really changed %", "bots over the limit"]
    return markdown_table(head, lines, n_left=4)


def auto_rates_table(rows: Rows) -> str:
    """Returns how many actions and top intents each plan changes, mean over the bots, in percent.

    Each bot's own training messages, out of fold, beside messages of users.
    """
    if not rows:
        return NOTHING
    lines = []
    for shots, plan in itertools.product(in_order(rows, "shots"), in_order(rows, "plan")):
        own = select(rows, shots=shots, plan=plan, messages="training")
        cells = [
            f"{100 * np.mean([row[part][kind] / row[part]['n'] for row in own]):.1f}"
            for part in ("counted", "judged")
            for kind in COUNTS
        ]
        lines.append([str(shots), f"`{plan}`", *cells])
    head = ["examples an intent", "plan"]
    head += [
        f"{where}: {what} changed %"
        for where in ("training, out of fold", "users")
        for what in COUNTS.values()
    ]
    return markdown_table(head, lines, n_left=2)


def taken_plan(bot: Rows, limit: float, counts: str) -> Optional[Mapping[str, Any]]:
    """Returns the row of the plan that `prune: auto` takes; None: it stays un-pruned.

    Args:
        bot: Its rows, from the plan that prunes least to the one that prunes most.
        limit: `max_flip_rate`.
        counts: What is counted, of COUNTS.
    """
    certificates = [
        Certificate(row["plan"], row["counted"]["n"], row["counted"][counts], limit) for row in bot
    ]
    best = take_plan(certificates)
    return None if best is None else bot[certificates.index(best)]


def _bots(rows: Rows) -> Dict[Tuple[Any, ...], List[Mapping[str, Any]]]:
    found: Dict[Tuple[Any, ...], List[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(tuple(row[field] for field in _BOT), []).append(row)
    return found


def _rate(row: Mapping[str, Any]) -> float:
    return float(row["judged"]["actions"] / row["judged"]["n"])
