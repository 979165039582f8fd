"""Measures throughput over many texts of mixed lengths, as in training or offline work."""

from __future__ import annotations

import argparse
import sys
from typing import Optional, Sequence

from benchmarks.command import run_measuring
from benchmarks.engines.registry import DEFAULT
from benchmarks.engines.worker_process import WorkerSettings
from benchmarks.latency.arguments import (
    add_engines,
    engines_asked,
    model_name,
    store_of,
    store_parser,
    worker_settings,
)
from benchmarks.latency.comparison import Comparison, Condition, compare
from benchmarks.rows import RowStore
from rasa_tokprune.texts.lengths import read_messages, sample, token_counter

N_TEXTS = 5000
ENGINES = tuple(name for name in DEFAULT if not name.startswith("openvino"))
_N_WARM = 128
_SEED = 0


def measure_throughput(
    messages: Sequence[str],
    engines: Sequence[str],
    settings: WorkerSettings,
    store: RowStore,
    *,
    model: str,
    repetitions: int,
    n_texts: int = N_TEXTS,
) -> None:
    """Measures one call with many texts; see `compare`.

    Every engine forms its own batches at its default size; the peers' are 32 texts, padded,
    sorted by length. The untimed call before takes the first texts only.
    """
    texts = sample(messages, n_texts, _SEED)
    count_tokens = token_counter(settings.folder)
    n_tokens = sum(count_tokens(text) for text in texts)
    base = {
        "benchmark": "throughput",
        "model": model,
        "batch_size": settings.batch_size or "default",
        "n_tokens_mean": n_tokens / n_texts,
    }
    condition = Condition({"n_texts": n_texts}, (tuple(texts),), n_warm_texts=_N_WARM)
    groups = [[name] for name in engines]
    compare(Comparison(base, groups, [condition], repetitions), settings, store)


def run(arguments: argparse.Namespace) -> None:
    """Measures what the command line asks for."""
    messages, engines = read_messages(arguments.messages), engines_asked(arguments, ENGINES)
    for settings in worker_settings(arguments, messages):
        measure_throughput(
            messages,
            engines,
            settings,
            store_of(arguments),
            model=model_name(arguments.model),
            repetitions=arguments.repetitions,
            n_texts=arguments.texts,
        )


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = store_parser(__file__, __doc__, "throughput.jsonl")
    add_engines(made, repetitions=3)
    made.add_argument("--texts", type=int, default=N_TEXTS, help="sampled from the messages")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
