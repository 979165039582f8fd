"""Arguments of `rasa-tokprune certify`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import (
    add_adapter,
    add_decision,
    add_model,
    add_numbers,
    add_prune,
    add_quiet,
    add_scheduler,
)


def add_certify(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Compares what the bot does by the un-pruned encoder and by pruned ones, out of fold on "
        "the training messages and on a log, and bounds how often that differs. It takes the top "
        "intent, or falls back where that one's confidence is under 0.5."
    )
    parser.add_argument("--train", type=Path, required=True, help="the bot's NLU data, Rasa YAML")
    parser.add_argument("--log", type=Path, help="messages of users, one a line; any number")
    add_prune(
        parser,
        "plans to certify, from the one that prunes least to the one that prunes most",
        several=True,
        required=True,
    )
    add_adapter(parser)
    add_model(parser)
    add_numbers(parser)
    add_decision(parser)
    parser.add_argument(
        "--max-flip-rate", type=float, default=0.02, metavar="X",
        help="largest share of changed actions; default: 0.02",
    )  # fmt: skip
    add_scheduler(parser)
    parser.add_argument(
        "--results", type=Path, metavar="FOLDER",
        help="where answers are kept, so that a stopped run goes on; default: in the user's cache",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write a JSON file")
    parser.add_argument(
        "--answers", type=Path, metavar="FILE",
        help="also write every message of the log with top intent and action, un-pruned and by "
        "each plan",
    )  # fmt: skip
    add_quiet(parser)
