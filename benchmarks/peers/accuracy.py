"""Measures how many answers of the peers are right on bots that nobody trained on.

Nothing of it depends on how busy the machine is. Bots are taken in the order given, peers within
them, so that the slow ones are done bot by bot.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from tqdm import tqdm

from benchmarks.command import files_of, measuring_parser, run_measuring, tasks_of
from benchmarks.peers.environments import add_environments, checkpoint_of, python_of
from benchmarks.peers.interface import Answer
from benchmarks.peers.registry import PEERS, PeerKind
from benchmarks.peers.sets import Bot, bot_of_task, drawn_bots
from benchmarks.peers.worker_process import PeerProcess
from benchmarks.rows import append_row, measured
from rasa_tokprune.commands.evaluate.predictions import Predictions
from rasa_tokprune.machine.environment import environment

# Of all that predictions say: what does not depend on a threshold.
_MEASURES = ("n_test", "accuracy", "macro_f1", "ece", "n_oos", "oos_auroc")


def process_of(kind: PeerKind, folder: Path) -> Optional[PeerProcess]:
    """Returns how a peer is started, None if its environment was not made."""
    python = python_of(kind, folder)
    if python is None:
        return None
    return PeerProcess(python, kind.module, kind.settings(checkpoint_of(kind, folder)))


def available(names: Sequence[str], folder: Path) -> Dict[str, PeerProcess]:
    """Returns how peers are started; says in a line each which are left out."""
    found = {}
    for name in names:
        process = process_of(PEERS[name], folder)
        if process is None:
            print(
                f"left out: {name}; its environment is not in '{folder}': "
                f"python -m benchmarks.peers.environments --peers {name}",
                file=sys.stderr,
            )
        else:
            found[name] = process
    return found


def measure(bot: Bot, process: PeerProcess) -> Dict[str, Any]:
    """Lets a peer learn and answer; returns what of it is right, and versions."""
    with tempfile.TemporaryDirectory() as folder:
        process.learn(bot.texts, bot.labels, Path(folder))
        answered = process.answer([*bot.query, *bot.strangers], Path(folder))
    own, strange = answered.answers[: len(bot.query)], answered.answers[len(bot.query) :]
    measures = measures_of(bot.answers, own, strange)
    return {**measures, "environment": {**environment(), "versions": answered.versions}}


def measures_of(
    answers: Sequence[str], own: Sequence[Answer], strange: Sequence[Answer]
) -> Dict[str, Any]:
    """Returns accuracy, calibration error and out-of-scope AUROC.

    Args:
        answers: The right intents.
        own: What was answered instead.
        strange: Answers to messages out of scope.
    """
    predictions = Predictions(
        answers=list(answers),
        predicted=[name for name, _ in own],
        confidences=[confidence for _, confidence in own],
        is_rejected=[False] * len(own),
        oos_confidences=[confidence for _, confidence in strange],
        oos_is_rejected=[False] * len(strange),
    )
    measures = predictions.measures()
    return {name: measures[name] for name in _MEASURES if name in measures}


def bots_of(arguments: argparse.Namespace) -> List[Bot]:
    """Returns the bots of the command line: the drawn ones, few examples first, then the tasks."""
    drawn = drawn_bots(files_of(arguments.drawn))
    tasks = [bot_of_task(task) for task in tasks_of(arguments.task)]
    return [*sorted(drawn, key=lambda bot: len(bot.texts)), *tasks]


def run(arguments: argparse.Namespace) -> None:
    """Measures what the file of rows does not hold yet."""
    bots = [bot for bot in bots_of(arguments) if bot.name in (arguments.sets or [bot.name])]
    processes = available(arguments.peers, arguments.folder)
    done = measured(arguments.out, "set", "peer")
    todo: List[Tuple[Bot, str]] = [
        (bot, name) for bot in bots for name in processes if (bot.name, name) not in done
    ]
    for bot, name in tqdm(todo, desc="Peers"):
        about = {"set": bot.name, "peer": name, "n_train": len(bot.texts)}
        append_row({**about, **measure(bot, processes[name])}, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "accuracy.jsonl", is_resumed=True)
    made.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS))
    made.add_argument(
        "--sets", nargs="+", default=[], metavar="NAME", help="of those given; default: all"
    )
    made.add_argument("--drawn", nargs="*", default=[], metavar="NAME=FILE", help="labelled sets")
    made.add_argument(
        "--task",
        nargs="+",
        action="append",
        default=[],
        metavar=("NAME", "TRAIN TEST [OOS]"),
        help="training and test messages in Rasa YAML; out-of-scope messages, one a line",
    )
    add_environments(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
