"""Arguments of `rasa-tokprune parse`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import DATA, RESULTS, RUNNING, add_quiet
from rasa_tokprune.commands.trained_model.arguments import (
    add_batches,
    add_messages,
    add_trained_model,
)

JSON_LINES, CSV, RASA = "jsonl", "csv", "rasa"


def add_parse(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Reads a file of messages with a trained model, in batches, and writes one answer for "
        "each, in order: the bot's own, of its whole pipeline."
    )
    data = parser.add_argument_group(DATA)
    data.add_argument(
        "messages", metavar="MESSAGES",
        help="file with a message a line, JSON lines, or CSV; - reads stdin",
    )  # fmt: skip
    add_messages(data)
    data.add_argument(
        "--id-key", default="id", metavar="NAME",
        help="key or column that names a message; it is kept; default: id",
    )  # fmt: skip
    add_trained_model(data)
    add_batches(parser.add_argument_group(RUNNING))
    results = parser.add_argument_group(RESULTS)
    results.add_argument(
        "--out", type=Path, metavar="FILE",
        help="where answers go; FILE is there once it is whole; default: stdout",
    )  # fmt: skip
    results.add_argument(
        "--format", choices=(JSON_LINES, CSV, RASA), metavar="FORMAT",
        help="of the answers: jsonl, csv, or rasa (JSON lines as Rasa's server gives them); "
        "default: csv for a FILE that ends in .csv, else jsonl",
    )  # fmt: skip
    results.add_argument(
        "--ranking", type=int, default=0, metavar="N",
        help="also write the best N intents with their confidences; default: 0, none",
    )  # fmt: skip
    add_quiet(results)
    results.add_argument(
        "--json", action="store_true",
        help="with --out: the summary as one JSON object; without: answers are JSON lines anyway",
    )  # fmt: skip
