"""Arguments of `rasa-tokprune report`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import (
    DATA,
    DECISIONS,
    ENCODER,
    RESULTS,
    RUNNING,
    add_adapter,
    add_decision,
    add_model,
    add_numbers,
    add_output,
    add_prune,
)

# Whose messages stand in the page.
ALL, TRAINING, NONE = "all", "training", "none"


def add_report(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Writes one HTML file about a bot: how good it is, which plan suits it, how far its "
        "confidence can be trusted, and which examples to look at, without a trained model and "
        "without a network."
    )
    _data(parser.add_argument_group(DATA))
    _encoder(parser.add_argument_group(ENCODER))
    add_decision(parser.add_argument_group(DECISIONS))
    parser.add_argument_group(RUNNING).add_argument(
        "--cache", type=Path, metavar="FOLDER",
        help="where embeddings are kept; default: where evaluate keeps them, in the user's cache",
    )  # fmt: skip
    _output(parser.add_argument_group(RESULTS))


def _data(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "nlu", type=Path, metavar="NLU", help="its NLU data, Rasa YAML: a file or a folder"
    )
    group.add_argument(
        "--test", type=Path, metavar="PATH",
        help="labelled messages it was not trained on, Rasa YAML; default: examples are held out",
    )  # fmt: skip
    group.add_argument(
        "--log", type=Path, metavar="FILE", help="messages of users, one a line; any number"
    )
    group.add_argument(
        "--against", metavar="SECOND",
        help="what to compare answers with: a trained Rasa model (.tar.gz, or the folder of it), "
        "a plan, or another encoder",
    )  # fmt: skip


def _encoder(group: argparse._ArgumentGroup) -> None:
    add_model(group)
    add_prune(group, "the bot's plan; default: what the components do without the key")
    group.add_argument(
        "--plans", nargs="*", metavar="PLAN",
        help="plans to measure beside it; default: off and every shipped plan that suits the "
        "encoder; nothing behind it: none",
    )  # fmt: skip
    add_adapter(group)
    add_numbers(group)


def _output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--out", type=Path, default=Path("report.html"), metavar="FILE",
        help="default: report.html",
    )  # fmt: skip
    group.add_argument(
        "--texts", choices=(ALL, TRAINING, NONE), default=ALL, metavar="WHOSE",
        help="whose messages the page shows: all, those of the NLU data alone, or none, so that "
        "it can be handed on; default: all",
    )  # fmt: skip
    group.add_argument(
        "--polite", default="Hello, could you please help me? {} Thank you very much!",
        metavar="FRAME",
        help="what politeness puts around a message, {}, for bots in other languages; "
        "default: English",
    )  # fmt: skip
    add_output(group, "the page")
