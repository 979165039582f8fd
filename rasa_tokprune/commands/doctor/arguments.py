"""Arguments of `rasa-tokprune doctor`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import DATA, LIMITS, RESULTS, RUNNING, add_output


def add_doctor(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Looks at the installation, this machine and a bot, and says what is wrong and what to do, "
        "without training anything, changing a file or needing a network."
    )
    data = parser.add_argument_group(DATA)
    data.add_argument(
        "bot", nargs="?", type=Path, metavar="BOT",
        help="folder of a bot; default: this one, if it holds a config.yml",
    )  # fmt: skip
    data.add_argument(
        "--config", type=Path, metavar="FILE",
        help="the bot's configuration; default: its config.yml",
    )  # fmt: skip
    data.add_argument(
        "--domain", type=Path, metavar="FILE",
        help="its domain, a file or a folder; default: its domain.yml or domain",
    )  # fmt: skip
    data.add_argument(
        "--data", type=Path, nargs="+", metavar="FILE",
        help="its training data, files and folders; default: its folder data, else all of BOT",
    )  # fmt: skip
    running = parser.add_argument_group(RUNNING)
    running.add_argument(
        "--fast", action="store_true",
        help="leave out what takes seconds: labels, Rasa's own validation",
    )  # fmt: skip
    running.add_argument(
        "--no-timing", action="store_true", help="do not time ten messages of the bot"
    )
    results = parser.add_argument_group(RESULTS)
    results.add_argument(
        "--all", action="store_true", help="list every finding, however many are of one kind"
    )
    add_output(results, "each finding; with --quiet only those that are not ok")
    parser.add_argument_group(LIMITS, "exit code 1 if there is an error").add_argument(
        "--strict", action="store_true", help="exit code 1 where there is a warning, too"
    )
