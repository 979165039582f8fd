"""Measures what the peers cost on one bot: training, one message at a time, memory. One core.

Other programs on the machine change every number, so each row holds how busy it was. A peer
is measured again if the machine was busy, else not, so that a stopped run goes on.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Optional, Sequence

import numpy as np
from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.machine import pin
from benchmarks.peers.accuracy import available
from benchmarks.peers.environments import add_environments
from benchmarks.peers.registry import PEERS
from benchmarks.peers.sets import Bot, bot_of_task
from benchmarks.peers.worker_process import PeerProcess
from benchmarks.rows import read_rows, write_rows
from benchmarks.tables import ROOT
from rasa_tokprune.commands.adapt.judges import N_SHOT
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.tasks import Task

_EXAMPLE = ROOT / "example_bot"
# Programs that want a core, a mean over a minute: above it, others than this one did.
QUIET_LOAD = 1.6
# Its pairs grow with the square of the examples: an hour or more here.
_LEFT_OUT = ("setfit_all_pairs",)


def measure(bot: Bot, process: PeerProcess) -> Dict[str, Any]:
    """Returns seconds of training, milliseconds of a message, megabytes."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        learned = process.learn(bot.texts, bot.labels, Path(folder))
        answered = process.answer(bot.query, Path(folder))
    milliseconds = 1e3 * np.array(answered.seconds)
    return {
        "n_train": len(bot.texts),
        "n_messages": len(bot.query),
        "train_s": learned.seconds,
        "train_peak_mb": learned.peak_mb,
        "start_s": answered.start_s,
        "p50_ms": float(np.percentile(milliseconds, 50)),
        "p95_ms": float(np.percentile(milliseconds, 95)),
        "answer_peak_mb": answered.peak_mb,
        "load": max(load, os.getloadavg()[0]),
        "environment": {**environment(), "versions": answered.versions},
    }


def run(arguments: argparse.Namespace) -> None:
    """Measures what the file of rows does not hold yet, on one core."""
    pin(1)
    task = Task("example_bot", _EXAMPLE / "data", _EXAMPLE / "tests" / "test_nlu.yml")
    bot = bot_of_task(task, N_SHOT)
    processes = available(arguments.peers, arguments.folder)
    rows = {row["peer"]: row for row in read_rows(arguments.out)} if arguments.out.is_file() else {}
    todo = [name for name in processes if name not in rows or rows[name]["load"] > QUIET_LOAD]
    for name in tqdm(todo, desc="Costs"):
        rows[name] = {"bot": bot.name, "peer": name, **measure(bot, processes[name])}
        write_rows(rows.values(), arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "costs.jsonl", is_resumed=True)
    default = [name for name in PEERS if name not in _LEFT_OUT]
    made.add_argument("--peers", nargs="+", choices=PEERS, default=default)
    add_environments(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
