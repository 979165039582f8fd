"""Measures the latency of one text: at exact numbers of tokens, and of real messages by length."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import List, Optional, Sequence

from benchmarks.command import run_measuring
from benchmarks.engines.registry import DEFAULT
from benchmarks.engines.worker_process import WorkerSettings
from benchmarks.latency.arguments import (
    add_engines,
    add_lengths,
    engines_asked,
    model_name,
    store_of,
    store_parser,
    worker_settings,
)
from benchmarks.latency.comparison import Comparison, Condition, compare
from benchmarks.latency.tables import LATENCY, LATENCY_WITHOUT_AVX512
from benchmarks.rows import RowStore
from rasa_tokprune.texts.lengths import by_bucket, read_messages, texts_by_length, token_counter

LENGTHS = (8, 16, 32, 48, 64, 128, 256)
_SEED = 0


def measure_latency(
    messages: Sequence[str],
    engines: Sequence[str],
    settings: WorkerSettings,
    store: RowStore,
    *,
    model: str,
    repetitions: int,
    n_warm_calls: int = 5,
    lengths: Sequence[int] = LENGTHS,
) -> None:
    """Measures engines one text at a time; see `compare`.

    Args:
        messages: Real messages; their words make the texts of exact lengths.
        engines: Names, see `engines.registry`.
        settings: Checkpoint, work folder, threads.
        store: Where the rows go.
        model: The checkpoint's name in the rows.
        repetitions: Timed calls for each engine and condition.
        n_warm_calls: Calls on the same text before each timed one.
        lengths: Tokens of the texts of exact length.
    """
    conditions = exact_conditions(messages, settings.folder, lengths)
    conditions += message_conditions(messages, settings.folder, repetitions)
    name = LATENCY_WITHOUT_AVX512 if settings.without_avx512 else LATENCY
    base = {"benchmark": name, "model": model, "batch_size": 1}
    groups = [[name] for name in engines]
    compare(Comparison(base, groups, conditions, repetitions, n_warm_calls), settings, store)


def exact_conditions(
    messages: Sequence[str], folder: Path, lengths: Sequence[int]
) -> List[Condition]:
    """Returns one condition for each number of tokens, special ones counted."""
    return [
        Condition({"kind": "exact", "tokens": n_tokens}, tuple((text,) for text in texts))
        for n_tokens, texts in texts_by_length(messages, folder, lengths).items()
    ]


def message_conditions(messages: Sequence[str], folder: Path, repetitions: int) -> List[Condition]:
    """Returns one condition for each bucket of lengths that has messages."""
    buckets = by_bucket(messages, token_counter(folder), n_texts=repetitions, seed=_SEED)
    return [
        Condition({"kind": "messages", "bucket": name}, tuple((text,) for text in texts))
        for name, texts in buckets.items()
    ]


def run(arguments: argparse.Namespace) -> None:
    """Measures what the command line asks for."""
    messages, engines = read_messages(arguments.messages), engines_asked(arguments, DEFAULT)
    without_avx512 = arguments.without_avx512
    for settings in worker_settings(arguments, messages, without_avx512=without_avx512):
        measure_latency(
            messages,
            engines,
            settings,
            store_of(arguments),
            model=model_name(arguments.model),
            repetitions=arguments.repetitions,
            n_warm_calls=arguments.warm_calls,
            lengths=arguments.lengths,
        )


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = store_parser(__file__, __doc__, "latency.jsonl")
    add_engines(made, repetitions=60)
    add_lengths(made, LENGTHS)
    made.add_argument(
        "--without-avx512",
        action="store_true",
        help="keep the libraries that allow it off AVX-512, as on an older CPU",
    )
    made.add_argument("--warm-calls", type=int, default=5, help="calls before the timed one")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
