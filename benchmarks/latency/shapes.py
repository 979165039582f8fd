"""Measures the reference paper's table (arXiv 2408.11799): times by quantile, model and length.

Tokens are dropped as in the paper, which does not say after which layer; two settings are measured.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from typing import List, Optional, Sequence, Tuple

from benchmarks.command import run_measuring
from benchmarks.engines.checkpoints import SHAPES, random_checkpoint
from benchmarks.engines.plans import quantile_plan_name
from benchmarks.engines.registry import check_engines
from benchmarks.engines.worker_process import WorkerSettings
from benchmarks.latency.arguments import (
    add_engines,
    add_lengths,
    store_of,
    store_parser,
    worker_settings,
)
from benchmarks.latency.comparison import Comparison, compare
from benchmarks.latency.latency import exact_conditions
from benchmarks.rows import RowStore
from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.texts.lengths import read_messages

PAPER_SHAPES = ("minilm-l12", "bert-base", "mpnet-base")
LENGTHS = (8, 16, 32, 64, 128, 256)

# Without their last part, the plan; it is added here.
ENGINES = ("ours:native:int8", "ours:onnx:int8", "ours:onnx:fp32", "ours:torch:fp32")
QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5)
PRUNED_LAYERS: Tuple[Tuple[int, ...], ...] = ((1,), (1, 3, 5))
OFF = "off"


def with_plans(engine: str, quantiles: Sequence[float] = QUANTILES) -> List[str]:
    """Returns an engine's names with every plan, un-pruned first."""
    plans = [
        quantile_plan_name("drop", quantile, layers)
        for layers in PRUNED_LAYERS
        for quantile in quantiles
    ]
    return [f"{engine}:{plan}" for plan in (OFF, *plans)]


def measure_shapes(
    messages: Sequence[str],
    engines: Sequence[str],
    settings: WorkerSettings,
    store: RowStore,
    *,
    shapes: Sequence[str] = PAPER_SHAPES,
    repetitions: int,
    lengths: Sequence[int] = LENGTHS,
) -> None:
    """Measures each engine with and without pruning on random checkpoints.

    All plans of one engine share a process, and its weights.

    Args:
        messages: Their words make the texts.
        engines: `ours:BACKEND:PRECISION`, without plan.
        settings: Its checkpoint lends its tokenizer.
        store: Where the rows go.
        shapes: Keys of `checkpoints.SHAPES`.
        repetitions: Timed calls for each plan and length.
        lengths: Tokens of the texts.
    """
    conditions = exact_conditions(messages, settings.folder, lengths)
    for shape in shapes:
        folder = random_checkpoint(shape, settings.folder, settings.work)
        base = {"benchmark": "shapes", "model": shape, "batch_size": 1}
        for engine in engines:
            comparison = Comparison(base, [with_plans(engine)], conditions, repetitions)
            compare(comparison, dataclasses.replace(settings, folder=folder), store)


def run(arguments: argparse.Namespace) -> None:
    """Measures what the command line asks for."""
    for name in arguments.shapes:
        if name not in SHAPES:
            raise ConfigError(f"no shape '{name}'.{did_you_mean(name, SHAPES)}")
    messages = read_messages(arguments.messages)
    engines = arguments.engines or ENGINES
    check_engines([f"{name}:{OFF}" for name in engines])
    for settings in worker_settings(arguments, messages):
        measure_shapes(
            messages,
            engines,
            settings,
            store_of(arguments),
            shapes=arguments.shapes,
            repetitions=arguments.repetitions,
            lengths=arguments.lengths,
        )


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = store_parser(__file__, __doc__, "shapes.jsonl")
    add_engines(made, repetitions=20)
    add_lengths(made, LENGTHS)
    made.add_argument("--shapes", nargs="+", default=list(PAPER_SHAPES), metavar="SHAPE")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
