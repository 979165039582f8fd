"""Arguments of `rasa-tokprune export`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import add_adapter, add_model, add_prune


def add_export(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Writes an encoder with its adapter merged in as an ordinary checkpoint, which "
        "sentence-transformers, transformers and what reads their files load without this "
        "package. No token is pruned there; layers that the plan skips are left out."
    )
    add_model(parser)
    add_prune(
        parser,
        "plan whose adapter and layers are written; default: a shipped adapter's own, else all "
        "layers",
    )
    add_adapter(parser)
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the checkpoint, new or empty"
    )
