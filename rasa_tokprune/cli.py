"""The `rasa-tokprune` command: plans, evaluation, explanations, and the benchmark."""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from pathlib import Path
from typing import Callable, Dict, List, Optional, Sequence

from rasa_tokprune import __version__
from rasa_tokprune.adaptation.arguments import add_adapt
from rasa_tokprune.encoder.plan import PruningPlan
from rasa_tokprune.encoder.plans import shipped_plans
from rasa_tokprune.errors import TokPruneError
from rasa_tokprune.evaluation.bench.arguments import add_benchmarks
from rasa_tokprune.evaluation.certify.arguments import add_certify
from rasa_tokprune.evaluation.evaluate.arguments import add_evaluate


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    _quieten_imports()
    parser = argparse.ArgumentParser(
        prog="rasa-tokprune", description="Token-pruned sentence encoders for Rasa."
    )
    parser.add_argument("--version", action="version", version=f"rasa-tokprune {__version__}")
    commands = parser.add_subparsers(dest="command")
    commands.add_parser("plans", help="list the shipped pruning plans")
    add_evaluate(commands.add_parser("evaluate", help="accuracy and trust on labelled messages"))
    add_adapt(commands.add_parser("adapt", help="train an adapter for a pruning plan"))
    add_certify(commands.add_parser("certify", help="bound how often a plan changes answers"))
    _add_explain(commands.add_parser("explain", help="why a trained model answers as it does"))
    add_benchmarks(commands.add_parser("bench", help="measure this package and its peers"))
    parsed = parser.parse_args(arguments)
    if parsed.command == "plans":
        print("\n".join(_plan_lines()))
        return 0
    if parsed.command in _COMMANDS:
        return _run(parsed)
    if parsed.command == "explain":
        return _explain(parsed)
    if parsed.command == "bench":
        return _bench(parsed)
    parser.print_help()
    return 2


# Each imports what it needs when it is called: `--help` answers at once.
def _evaluate(arguments: argparse.Namespace) -> int:
    from rasa_tokprune.evaluation.evaluate import command

    return command.run(arguments)


def _adapt(arguments: argparse.Namespace) -> int:
    from rasa_tokprune.adaptation import command

    return command.run(arguments)


def _certify(arguments: argparse.Namespace) -> int:
    from rasa_tokprune.evaluation.certify import command

    return command.run(arguments)


_COMMANDS: Dict[str, Callable[[argparse.Namespace], int]] = {
    "evaluate": _evaluate,
    "adapt": _adapt,
    "certify": _certify,
}


def _run(arguments: argparse.Namespace) -> int:
    """Runs a command; what is wrong with its input is one line, exit code 2."""
    try:
        return _COMMANDS[arguments.command](arguments)
    except TokPruneError as error:
        print(f"rasa-tokprune {arguments.command}: {' '.join(str(error).split())}", file=sys.stderr)
        return 2


def _quieten_imports() -> None:
    """Keeps TensorFlow, which Rasa imports, from telling of missing GPUs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def _add_explain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("texts", nargs="+", metavar="MESSAGE")
    parser.add_argument(
        "--model", type=Path, default=Path("models"), help="archive, or folder: its newest one"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def _explain(arguments: argparse.Namespace) -> int:
    from rasa_tokprune.explanation import explanation_lines

    try:
        with warnings.catch_warnings(record=True):  # Rasa's imports deprecate one another
            from rasa_tokprune.components.explain_model import explain_with_model

            explanations = explain_with_model(arguments.model, arguments.texts)
    except TokPruneError as error:
        print(f"rasa-tokprune explain: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    if arguments.json:
        print("\n".join(json.dumps(each, ensure_ascii=False) for each in explanations))
    else:
        print("\n\n".join("\n".join(explanation_lines(each)) for each in explanations))
    return 0


def _bench(arguments: argparse.Namespace) -> int:
    from rasa_tokprune.evaluation.bench import commands

    try:
        commands.run(arguments)
    except TokPruneError as error:
        print(f"rasa-tokprune bench: {error}", file=sys.stderr)
        return 1
    return 0


def _plan_lines() -> List[str]:
    lines = ["name      layers  mode    min_tokens  adapter   quantile after layer"]
    for plans in shipped_plans().values():
        lines += [_plan_line(plan) for plan in sorted(plans, key=lambda plan: plan.n_layers)]
    return lines


def _plan_line(plan: PruningPlan) -> str:
    pruned = ", ".join(f"{plan.thresholds[layer]} after {layer}" for layer in plan.pruned_layers)
    kept = plan.kept_layers or ()
    skips = f"; only layers {', '.join(map(str, kept))}" if len(kept) < plan.n_layers else ""
    return (
        f"{plan.name:<10}{plan.n_layers:<8}{plan.mode.value:<8}{plan.min_tokens:<12}"
        f"{plan.adapter or '-':<10}{pruned}{skips}"
    )
