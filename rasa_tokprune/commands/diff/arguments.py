"""Arguments of `rasa-tokprune diff`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import (
    DATA,
    DECISIONS,
    LIMITS,
    RESULTS,
    RUNNING,
    add_output,
)
from rasa_tokprune.commands.trained_model.arguments import MODEL, add_batches, add_messages

# Gates, by the name of what they limit.
GATES = {
    "action": "messages with another action",
    "became_fallback": "messages that were understood and fall back now",
    "entities": "messages with other entities",
    "answer": "messages with another answer of a retrieval intent",
    "lost": "labelled messages that OLD gets right and NEW gets wrong",
}
_OPTIONS = {
    "action": "--max-changed",
    "became_fallback": "--max-fallback",
    "entities": "--max-entities",
    "answer": "--max-answers",
    "lost": "--max-lost",
}


def add_diff(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Answers a log with two trained models and says what changed: actions (the intent that the "
        "bot takes, or a fallback), top intents, entities and answers."
    )
    data = parser.add_argument_group(DATA)
    data.add_argument("old", type=Path, metavar="OLD", help=MODEL)
    data.add_argument("new", type=Path, metavar="NEW", help="the other one, likewise")
    data.add_argument(
        "--log", required=True, metavar="MESSAGES",
        help="messages of users, as for `parse`, - reads stdin; or labelled ones, Rasa NLU YAML "
        "(a file ending in .yml or .yaml, or a folder)",
    )  # fmt: skip
    add_messages(data)
    parser.add_argument_group(DECISIONS).add_argument(
        "--threshold", type=float, default=0.5, metavar="X",
        help="confidence under which a model without FallbackClassifier counts as falling back; "
        "0 never; default: 0.5",
    )  # fmt: skip
    add_batches(parser.add_argument_group(RUNNING))
    results = parser.add_argument_group(RESULTS)
    results.add_argument(
        "--examples", type=int, default=2, metavar="N",
        help="messages shown for each change; default: 2",
    )  # fmt: skip
    results.add_argument(
        "--out", type=Path, metavar="FILE",
        help="also write every message that changed, JSON lines",
    )  # fmt: skip
    add_output(results, "the whole comparison")
    limits = parser.add_argument_group(LIMITS, "exit code 1 if one does not hold")
    for kind, option in _OPTIONS.items():
        limits.add_argument(
            option, dest=f"max_{kind}", type=float, metavar="X",
            help=f"largest share of {GATES[kind]}, 0 to 1; above it the exit code is 1",
        )  # fmt: skip
    limits.add_argument(
        "--bound", action="store_true",
        help="hold the upper bound of each share, at 95%% confidence, to its limit, not the share",
    )  # fmt: skip


def option_of(kind: str) -> str:
    """Returns the option that limits a kind of change."""
    return _OPTIONS[kind]
