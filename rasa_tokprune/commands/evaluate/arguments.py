"""What `rasa-tokprune evaluate` can be asked. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import (
    DATA,
    DECISIONS,
    ENCODER,
    LIMITS,
    RESULTS,
    RUNNING,
    add_adapter,
    add_decision,
    add_model,
    add_numbers,
    add_output,
    add_prune,
)
from rasa_tokprune.commands.evaluate.gates import GATES

ALL_SHOTS = "all"


def add_evaluate(parser: argparse.ArgumentParser) -> None:
    """Adds the options; see docs/components/intent-classifier.md for what the classifier's mean."""
    parser.usage = (
        "%(prog)s (--train PATH --test PATH [--oos FILE] | --task NAME TRAIN TEST [OOS] ...) "
        "[options]"
    )
    parser.description = (
        "Measures accuracy, calibration and out-of-scope detection on labelled messages, for one "
        "bot or several, without training a Rasa model."
    )
    _data(parser.add_argument_group(DATA, "Rasa YAML, files or folders; OOS: one message a line"))
    _settings(parser.add_argument_group(ENCODER))
    add_decision(parser.add_argument_group(DECISIONS))
    parser.add_argument_group(RUNNING).add_argument(
        "--cache", type=Path, metavar="FOLDER",
        help="where embeddings are kept; default: embeddings in the user's cache",
    )  # fmt: skip
    _output(parser.add_argument_group(RESULTS))
    gates = parser.add_argument_group(LIMITS, "exit code 1 if a mean over the seeds violates one")
    for gate in GATES:
        gates.add_argument(gate.option, type=float, metavar="X", help=gate.text)


def _data(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--train", type=Path, metavar="PATH", help="training data of one bot")
    group.add_argument("--test", type=Path, metavar="PATH", help="its test messages")
    group.add_argument("--oos", type=Path, metavar="FILE", help="its out-of-scope messages")
    group.add_argument(
        "--task", nargs="+", action="append", default=[], metavar=("NAME", "PATH"),
        help="NAME TRAIN TEST [OOS]: one of several bots; to be repeated",
    )  # fmt: skip
    group.add_argument(
        "--shots", nargs="+", default=[ALL_SHOTS], metavar="N",
        help="examples per intent that are learned from; default: all",
    )  # fmt: skip
    group.add_argument(
        "--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4], metavar="SEED",
        help="each chooses other examples, with all of them there is one run; default: 0 to 4",
    )  # fmt: skip


def _settings(group: argparse._ArgumentGroup) -> None:
    add_model(group, several=True)
    add_prune(
        group, "plans to compare; default: what the components do without the key", several=True
    )
    add_adapter(group)
    add_numbers(group)


def _output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--out", type=Path, default=Path("results"), metavar="FOLDER",
        help="folder; default: results",
    )  # fmt: skip
    group.add_argument(
        "--no-plots", action="store_true",
        help="write no PNG files; Rasa's confusion matrix of 150 intents takes half a minute",
    )  # fmt: skip
    group.add_argument(
        "--markdown", action="store_true", help="the table in Markdown, for a pull request, say"
    )
    add_output(group, "each line of the table")
