"""Arguments of `rasa-tokprune export`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import (
    ENCODER,
    RESULTS,
    add_adapter,
    add_model,
    add_output,
    add_prune,
)


def add_export(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Writes an encoder with its adapter merged in as an ordinary checkpoint, which prunes no "
        "token and needs no part of this package: sentence-transformers and transformers load it."
    )
    encoder = parser.add_argument_group(ENCODER)
    add_model(encoder)
    add_prune(
        encoder,
        "plan whose adapter and layers are written; default: a shipped adapter's own, else all "
        "layers",
    )
    add_adapter(encoder)
    results = parser.add_argument_group(RESULTS)
    results.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder for the checkpoint, new or empty",
    )
    add_output(results, "the checkpoint written")
