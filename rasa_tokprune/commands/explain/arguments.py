"""Arguments of `rasa-tokprune explain`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import add_json


def add_explain(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("texts", nargs="+", metavar="MESSAGE", help="what a user might write")
    parser.add_argument(
        "--model",
        type=Path,
        default=Path("models"),
        help="trained Rasa model: an archive, or a folder, whose newest one is taken; "
        "default: models",
    )
    add_json(parser)
