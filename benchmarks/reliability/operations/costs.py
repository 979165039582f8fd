"""Asks a server with metrics, with shadow mode and with neither; writes costs.jsonl.

Each variant is a `rasa run` of its own, started in turn, round after round, so that what else the
machine does falls on all of them. One client asks alone, then eight at once. Every answer is
compared with that of one process without metrics: watching must not change it.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import tempfile
from pathlib import Path
from typing import Dict, Iterator, Mapping, Optional, Sequence

from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.serving.bot import (
    Expected,
    add_work,
    bot_messages,
    expected_of,
    train_bot,
    varied,
    work_folder,
)
from benchmarks.reliability.serving.load import parsing, run_clients, shared_out
from benchmarks.reliability.serving.memory import memory
from benchmarks.reliability.serving.running import free_port
from benchmarks.reliability.serving.serving import about_now
from benchmarks.reliability.serving.stack import rasa_server
from benchmarks.rows import Row, append_row

METRICS_VARIABLE = "RASA_TOKPRUNE_METRICS"
_CLASSIFIER = "rasa_tokprune.TokPruneIntentClassifier"
_CLIENTS = (1, 8)
_N_MESSAGES, _ROUNDS = 960, 5


@dataclasses.dataclass(frozen=True)
class Variant:
    """A way to watch a server.

    Attributes:
        has_metrics: Whether it serves metrics.
        shadow_rate: See the classifier's key.
    """

    has_metrics: bool = False
    shadow_rate: float = 0.0


VARIANTS: Dict[str, Variant] = {
    "nothing": Variant(),
    "metrics": Variant(has_metrics=True),
    "`shadow_rate: 0.05`": Variant(shadow_rate=0.05),
    "`shadow_rate: 1.0`": Variant(shadow_rate=1.0),
    "metrics, `shadow_rate: 0.05`": Variant(has_metrics=True, shadow_rate=0.05),
}


def ask(
    folder: Path, archive: Path, expected: Expected, variables: Mapping[str, str]
) -> Iterator[Row]:
    """Starts a server, asks it with each number of clients, yields what they saw."""
    texts = list(expected.parsed)
    with rasa_server(folder, archive, variables=variables) as server:
        run_clients([parsing(server.port, texts[:100], expected.parsed)])
        for n_clients in _CLIENTS:
            parts = shared_out(texts, n_clients)
            found = run_clients([parsing(server.port, part, expected.parsed) for part in parts])
            own = max(memory(server.pid)["anonymous_mb"])
            yield {"clients": n_clients, **found.summary(), "own_mb": own}


def measure(arguments: argparse.Namespace) -> None:
    """Asks every variant in every round; rows are written as they come."""
    arguments.out.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        work = work_folder(arguments, folder)
        plain = train_bot(work)
        expected = expected_of(plain, varied(bot_messages(), arguments.messages))
        models = {0.0: plain}
        for rate in sorted({each.shadow_rate for each in VARIANTS.values()} - {0.0}):
            models[rate] = train_bot(work, f"shadow-{rate}", only=_CLASSIFIER, shadow_rate=rate)
        steps = [(round_, name) for round_ in range(arguments.rounds) for name in VARIANTS]
        for round_, name in tqdm(steps, desc="Costs"):
            variant = VARIANTS[name]
            watched = {METRICS_VARIABLE: f"127.0.0.1:{free_port()}"} if variant.has_metrics else {}
            for row in ask(folder, models[variant.shadow_rate], expected, watched):
                append_row({"variant": name, "round": round_, **row, **about_now()}, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "costs.jsonl")
    made.add_argument("--rounds", type=int, default=_ROUNDS, help=f"default: {_ROUNDS}")
    made.add_argument(
        "--messages", type=int, default=_N_MESSAGES, help=f"different ones; default: {_N_MESSAGES}"
    )
    add_work(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
