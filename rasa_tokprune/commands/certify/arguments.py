"""Arguments of `rasa-tokprune certify`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import (
    DATA,
    DECISIONS,
    ENCODER,
    LIMITS,
    RESULTS,
    RUNNING,
    add_adapter,
    add_decision,
    add_model,
    add_numbers,
    add_output,
    add_prune,
    add_scheduler,
)


def add_certify(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.usage = "%(prog)s --train FILE [--log FILE] --prune PLAN ... [options]"
    parser.description = (
        "Counts how often what the bot does (its top intent, or a fallback where that one's "
        "confidence is under 0.5) differs between the un-pruned encoder and pruned ones, and "
        "bounds how often it will."
    )
    data = parser.add_argument_group(DATA)
    data.add_argument(
        "--train", type=Path, required=True, metavar="FILE", help="the bot's NLU data, Rasa YAML"
    )
    data.add_argument(
        "--log", type=Path, metavar="FILE", help="messages of users, one a line; any number"
    )
    encoder = parser.add_argument_group(ENCODER)
    add_model(encoder)
    add_prune(
        encoder,
        "plans to certify, from the one that prunes least to the one that prunes most",
        several=True,
        required=True,
    )
    add_adapter(encoder)
    add_numbers(encoder)
    add_decision(parser.add_argument_group(DECISIONS))
    running = parser.add_argument_group(RUNNING)
    add_scheduler(running)
    running.add_argument(
        "--results", type=Path, metavar="FOLDER",
        help="where answers are kept, so that a stopped run goes on; default: in the user's cache",
    )  # fmt: skip
    results = parser.add_argument_group(RESULTS)
    results.add_argument("--out", type=Path, metavar="FILE", help="also write a JSON file")
    results.add_argument(
        "--answers", type=Path, metavar="FILE",
        help="also write every message of the log with top intent and action, un-pruned and by "
        "each plan",
    )  # fmt: skip
    add_output(results, "each plan")
    parser.add_argument_group(LIMITS, "exit code 1 if not even the first plan holds").add_argument(
        "--max-flip-rate", type=float, default=0.02, metavar="X",
        help="largest share of changed actions; default: 0.02",
    )  # fmt: skip
