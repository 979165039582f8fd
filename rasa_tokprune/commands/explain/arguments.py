"""Arguments of `rasa-tokprune explain`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import DATA, RESULTS, add_output


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Shows why a trained model answers messages as it does: intents, examples, words, tokens."
    )
    data = parser.add_argument_group(DATA)
    data.add_argument("texts", nargs="+", metavar="MESSAGE", help="what a user might write")
    data.add_argument(
        "--model",
        type=Path,
        default=Path("models"),
        metavar="PATH",
        help="trained Rasa model: an archive, or a folder, whose newest one is taken; "
        "default: models",
    )
    add_output(parser.add_argument_group(RESULTS), "each message")
