"""Tries what changes while a server runs: reloads, a model server, a training, SIGTERM."""

from __future__ import annotations

import argparse
import itertools
import sys
import tempfile
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Optional, Sequence

from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.lifecycle.endings import drain
from benchmarks.reliability.lifecycle.offers import take_offers
from benchmarks.reliability.lifecycle.reloads import alternate
from benchmarks.reliability.lifecycle.training import train_meanwhile
from benchmarks.reliability.serving.bot import (
    Expected,
    add_work,
    bot_messages,
    expected_of,
    train_bot,
    work_folder,
)
from benchmarks.reliability.serving.running import need
from benchmarks.reliability.serving.serving import about_now
from benchmarks.rows import Row, RowStore
from rasa_tokprune.errors import ConfigError, did_you_mean

_N_MESSAGES = 100
_MOST_RELOADS = 50
_OTHER_PLAN = "off"
# Processes that compute beside a server that is ended.
_BUSY = 4
PARTS = ("sigterm", "reloads", "offers", "training")


def run(arguments: argparse.Namespace) -> None:
    """Trains two bots that differ in their plan, then tries each part; rows as they come."""
    for name in arguments.parts:
        if name not in PARTS:
            known = f"{did_you_mean(name, PARTS)} Parts: {', '.join(PARTS)}"
            raise ConfigError(f"no part '{name}'.{known}")
    if arguments.reloads < 1:
        raise ConfigError(f"--reloads must be a number from 1, got {arguments.reloads}")
    if arguments.ends < 1:
        raise ConfigError(f"--ends must be a number from 1, got {arguments.ends}")
    if "sigterm" in arguments.parts:
        need("redis-server")
    store = RowStore(arguments.out)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        work = work_folder(arguments, folder)
        texts = bot_messages()[:_N_MESSAGES]
        models = [train_bot(work), train_bot(work, "other", prune=_OTHER_PLAN)]
        expected = [expected_of(model, texts) for model in models]
        for name in tqdm(arguments.parts, desc="Life cycle"):
            for row in _rows(name, arguments, folder, models, expected):
                store.add([{"benchmark": "lifecycle", **row, **about_now()}])
                tqdm.write(
                    f"{row['kind']}: {row['n']} asked, {row['wrong']} wrong, {row['lost']} lost"
                )


def _rows(
    name: str,
    arguments: argparse.Namespace,
    folder: Path,
    models: List[Path],
    expected: List[Expected],
) -> Iterator[Row]:
    """Yields the rows of one part."""
    makers: Dict[str, Callable[[], Iterator[Row]]] = {
        "reloads": lambda: alternate(folder, models, expected, arguments.reloads),
        "offers": lambda: take_offers(folder, models, expected, arguments.seconds),
        "training": lambda: train_meanwhile(folder, models[0], expected[0]),
        "sigterm": lambda: (
            row
            for busy, workers in itertools.product((0, _BUSY), (1, 2))
            for row in drain(folder, models[0], expected[0], workers, busy, arguments.ends)
        ),
    }
    yield from makers[name]()


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "lifecycle.jsonl")
    made.add_argument("--parts", nargs="+", default=list(PARTS), metavar="PART")
    made.add_argument(
        "--reloads", type=int, default=_MOST_RELOADS, help=f"default: {_MOST_RELOADS}"
    )
    made.add_argument("--ends", type=int, default=10, help="of each server by SIGTERM; default: 10")
    made.add_argument(
        "--seconds", type=float, default=600, help="of the model server; default: 600"
    )
    add_work(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
