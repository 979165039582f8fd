"""Arguments of `rasa-tokprune explain`. Imports nothing heavy."""

from __future__ import annotations

import argparse

from rasa_tokprune.commands.arguments import DATA, RESULTS, add_output
from rasa_tokprune.commands.trained_model.arguments import add_trained_model


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Shows why a trained model answers messages as it does: intents, examples, words, tokens."
    )
    data = parser.add_argument_group(DATA)
    data.add_argument("texts", nargs="+", metavar="MESSAGE", help="what a user might write")
    add_trained_model(data)
    add_output(parser.add_argument_group(RESULTS), "each message")
