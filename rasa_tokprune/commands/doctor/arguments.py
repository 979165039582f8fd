"""Arguments of `rasa-tokprune doctor`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Looks at the installation, this machine and a bot, and says what is wrong and what to do. "
        "It trains nothing, changes no file and needs no network."
    )
    parser.add_argument(
        "bot", nargs="?", type=Path, metavar="BOT",
        help="folder of a bot; default: this one, if it holds a config.yml",
    )  # fmt: skip
    parser.add_argument(
        "--config", type=Path, metavar="FILE",
        help="the bot's configuration; default: its config.yml",
    )  # fmt: skip
    parser.add_argument(
        "--domain", type=Path, metavar="FILE",
        help="its domain, a file or a folder; default: its domain.yml or domain",
    )  # fmt: skip
    parser.add_argument(
        "--data", type=Path, nargs="+", metavar="FILE",
        help="its training data, files and folders; default: its folder data, else all of BOT",
    )  # fmt: skip
    parser.add_argument(
        "--fast", action="store_true",
        help="leave out what takes seconds: labels, Rasa's own validation",
    )  # fmt: skip
    parser.add_argument(
        "--no-timing", action="store_true", help="do not time ten messages of the bot"
    )
    parser.add_argument(
        "--strict", action="store_true", help="exit code 1 where there is a warning, too"
    )
    parser.add_argument(
        "--all", action="store_true", help="list every finding, however many are of one kind"
    )
    parser.add_argument("--quiet", action="store_true", help="only what is not ok; no progress bar")
    parser.add_argument("--json", action="store_true", help="one JSON object a finding, no text")
