"""Measures how fast one core answers a log again.

Runs the very jobs of `rasa-tokprune certify`, one after the other, on one thread.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rows import write_rows
from rasa_tokprune.commands.certify.answers import Decides, answer, describe
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.lengths import read_messages

_JOB = 2000


def measure(train: Path, texts: List[str], plans: Sequence[str]) -> Iterator[Dict[str, Any]]:
    """Yields one row for each plan: messages, jobs and seconds, once the bot is fitted.

    Args:
        train: The bot's NLU data.
        texts: Messages, all different.
        plans: Names or files; the adapter is the plan's own.
    """
    for plan in plans:
        settings = {"model": "", "precision": AUTO, "backend": AUTO, "num_threads": 1}
        adapter = OFF if plan == OFF else AUTO
        bot = describe(train, plan, adapter, settings, Decides())
        fields = dataclasses.asdict(bot)
        start = time.perf_counter()
        answer(fields, texts[:10])
        fitted = time.perf_counter()
        jobs = [texts[at : at + _JOB] for at in range(0, len(texts), _JOB)]
        for job in jobs:
            answer(fields, job)
        yield {
            "plan": Path(plan).stem,
            "messages": len(texts),
            "jobs": len(jobs),
            "fit_s": round(fitted - start, 3),
            "answer_s": round(time.perf_counter() - fitted, 3),
            "precision": bot.precision,
            "backend": bot.backend,
        }


def run(arguments: argparse.Namespace) -> None:
    """Measures the un-pruned encoder and each plan."""
    texts = list(dict.fromkeys(read_messages(arguments.log)))
    machine = environment()
    found = measure(arguments.train, texts, [OFF, *arguments.prune])
    write_rows([{**row, "environment": machine} for row in found], arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "log.jsonl")
    made.add_argument("--train", type=Path, required=True, help="the bot's NLU data")
    made.add_argument(
        "--log", type=Path, nargs="+", required=True, help="Rasa YAML or one message a line (.txt)"
    )
    made.add_argument("--prune", nargs="+", required=True, metavar="PLAN")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
