"""Measures the times of plans by length, side by side, with what they cost in token-layers."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Optional, Sequence

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rows import write_rows
from rasa_tokprune.commands.adapt.search.times import time_plans
from rasa_tokprune.encoder import resolve_plan
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.tasks import read_examples


def run(arguments: argparse.Namespace) -> None:
    """Measures the un-pruned encoder and each plan."""
    n_layers = EncoderSpec.from_folder(find_checkpoint(arguments.model)).n_layers
    plans = [resolve_plan(prune, n_layers) for prune in (OFF, *arguments.prune)]
    texts = read_examples(arguments.messages)[0]
    rows = time_plans(arguments.model, plans, texts, True, arguments.repetitions)
    machine = environment()
    write_rows([{**row, "environment": machine} for row in rows], arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "plan_times.jsonl")
    made.add_argument("--messages", type=Path, required=True, help="Rasa YAML; words for texts")
    made.add_argument("--prune", nargs="+", required=True, metavar="PLAN")
    made.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub id")
    made.add_argument("--repetitions", type=int, default=200)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
