"""Arguments of `rasa-tokprune certify`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_certify(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Compares the answers of the un-pruned encoder with those of pruned ones, out of fold on "
        "the training messages and on a log, and bounds how often they differ."
    )
    parser.add_argument("--train", type=Path, required=True, help="the bot's NLU data, Rasa YAML")
    parser.add_argument("--log", type=Path, help="messages of users, one a line; any number")
    parser.add_argument(
        "--prune", nargs="+", required=True, metavar="PLAN",
        help="plans to certify, from the one that prunes least to the one that prunes most",
    )  # fmt: skip
    parser.add_argument("--adapter", default="auto", help="as in config.yml; default: auto")
    parser.add_argument("--model", default="", help="folder or hub id; default: the components'")
    parser.add_argument("--precision", default="auto", help="auto, int8, bf16 or fp32")
    parser.add_argument("--backend", default="auto", help="auto, native, onnx or torch")
    parser.add_argument(
        "--no-intent-names", action="store_true", help="do not learn from the intents' names"
    )
    parser.add_argument(
        "--max-flip-rate", type=float, default=0.02, metavar="X",
        help="largest share of changed answers; default: 0.02",
    )  # fmt: skip
    parser.add_argument(
        "--scheduler", default="inline",
        help="inline, processes:N, or the address of a Dask scheduler; default: inline",
    )  # fmt: skip
    parser.add_argument(
        "--results", type=Path, metavar="FOLDER",
        help="where answers are kept, so that a stopped run goes on; default: in the user's cache",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="also write a JSON file")
    parser.add_argument(
        "--answers", type=Path, metavar="FILE",
        help="also write every message of the log with its intents, un-pruned and by each plan",
    )  # fmt: skip
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
