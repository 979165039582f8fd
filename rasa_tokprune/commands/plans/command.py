"""The command line of `rasa-tokprune plans`: the shipped plans, a line each."""

from __future__ import annotations

import argparse

from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.encoder import PruningPlan, shipped_plans

_COLUMNS = ("name", "layers", "mode", "min tokens", "adapter", "quantile after layer")


def run(arguments: argparse.Namespace) -> None:
    """Shows every shipped plan."""
    screen = Screen.of(arguments)
    plans = [
        plan
        for own in shipped_plans().values()
        for plan in sorted(own, key=lambda plan: plan.n_layers)
    ]
    if screen.is_json:
        for plan in plans:
            screen.json(plan.to_dict())
        return
    rows = [
        (
            plan.name,
            str(plan.n_layers),
            plan.mode.value,
            str(plan.min_tokens),
            plan.adapter or "-",
            _pruning(plan),
        )
        for plan in plans
    ]
    screen.table(_COLUMNS, rows, n_left=len(_COLUMNS))


def _pruning(plan: PruningPlan) -> str:
    pruned = ", ".join(f"{plan.thresholds[layer]} after {layer}" for layer in plan.pruned_layers)
    kept = plan.kept_layers or ()
    skips = f"; only layers {', '.join(map(str, kept))}" if len(kept) < plan.n_layers else ""
    ends = "; without final punctuation" if plan.drop_end else ""
    return f"{pruned}{skips}{ends}"
