"""The `rasa-tokprune` command: what is installed and which plans it ships."""

from __future__ import annotations

import argparse
from typing import List, Optional, Sequence

from rasa_tokprune import __version__
from rasa_tokprune.encoder.plan import PruningPlan
from rasa_tokprune.encoder.plans import shipped_plans


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="rasa-tokprune", description="Token-pruned sentence encoders for Rasa."
    )
    parser.add_argument("--version", action="version", version=f"rasa-tokprune {__version__}")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("plans", help="list the shipped pruning plans")
    if parser.parse_args(arguments).command == "plans":
        print("\n".join(_plan_lines()))
        return 0
    parser.print_help()
    return 2


def _plan_lines() -> List[str]:
    lines = ["name    layers  mode    min_tokens  quantile after layer"]
    for plans in shipped_plans().values():
        lines += [_plan_line(plan) for plan in sorted(plans, key=lambda plan: plan.n_layers)]
    return lines


def _plan_line(plan: PruningPlan) -> str:
    pruned = ", ".join(f"{plan.thresholds[layer]} after {layer}" for layer in plan.pruned_layers)
    return f"{plan.name:<8}{plan.n_layers:<8}{plan.mode.value:<8}{plan.min_tokens:<12}{pruned}"
