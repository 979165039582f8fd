"""`rasa-tokprune plans`: the shipped pruning plans, a line each."""

from __future__ import annotations

import argparse

from rasa_tokprune.encoder import PruningPlan, shipped_plans


def run(arguments: argparse.Namespace) -> None:
    """Prints every shipped plan."""
    print("name      layers  mode    min_tokens  adapter   quantile after layer")
    for plans in shipped_plans().values():
        for plan in sorted(plans, key=lambda plan: plan.n_layers):
            print(_line(plan))


def _line(plan: PruningPlan) -> str:
    pruned = ", ".join(f"{plan.thresholds[layer]} after {layer}" for layer in plan.pruned_layers)
    kept = plan.kept_layers or ()
    skips = f"; only layers {', '.join(map(str, kept))}" if len(kept) < plan.n_layers else ""
    ends = "; without final punctuation" if plan.drop_end else ""
    return (
        f"{plan.name:<10}{plan.n_layers:<8}{plan.mode.value:<8}{plan.min_tokens:<12}"
        f"{plan.adapter or '-':<10}{pruned}{skips}{ends}"
    )
