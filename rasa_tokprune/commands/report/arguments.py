"""Arguments of `rasa-tokprune report`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import (
    add_adapter,
    add_decision,
    add_json,
    add_model,
    add_numbers,
    add_prune,
    add_quiet,
)

# Whose messages stand in the page.
ALL, TRAINING, NONE = "all", "training", "none"


def add_report(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Writes one HTML file about a bot: how good it is, which plan suits it, how far its "
        "confidence can be trusted, and which examples to look at. It needs no trained model and "
        "no network, and nothing leaves the file."
    )
    _data(parser.add_argument_group("the bot and its messages"))
    _settings(parser.add_argument_group("how it decides; see docs/configuration.md"))
    _output(parser.add_argument_group("the page"))


def _data(group: argparse._ArgumentGroup) -> None:
    group.add_argument("nlu", type=Path, help="its NLU data, Rasa YAML: a file or a folder")
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


def _settings(group: argparse._ArgumentGroup) -> None:
    add_model(group)
    add_prune(group, "the bot's plan; default: what the components do without the key")
    group.add_argument(
        "--plans", nargs="*", metavar="PLAN",
        help="plans to measure beside it; default: off and every shipped plan that suits the "
        "encoder; nothing behind it: none",
    )  # fmt: skip
    add_adapter(group)
    add_numbers(group)
    add_decision(group)


def _output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--out", type=Path, default=Path("report.html"), metavar="FILE",
        help="default: report.html",
    )  # fmt: skip
    group.add_argument(
        "--texts", choices=(ALL, TRAINING, NONE), default=ALL,
        help="whose messages the page shows: all, those of the NLU data alone, or none, so that "
        "it can be handed on; default: all",
    )  # fmt: skip
    group.add_argument(
        "--polite", default="Hello, could you please help me? {} Thank you very much!",
        metavar="FRAME",
        help="what politeness puts around a message, {}, for bots in other languages; "
        "default: English",
    )  # fmt: skip
    group.add_argument(
        "--cache", type=Path, metavar="FOLDER",
        help="where embeddings are kept; default: where evaluate keeps them, in the user's cache",
    )  # fmt: skip
    add_json(group)
    add_quiet(group)
