"""Measures how costs grow with the tokens of a text, the examples of a bot and its intents."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import subprocess
import sys
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

from tqdm import tqdm

from benchmarks.command import run_measuring
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
from benchmarks.latency.comparison import Comparison, compare, summarize
from benchmarks.latency.latency import exact_conditions
from benchmarks.machine import check_threads, thread_variables
from benchmarks.rows import Row, RowStore
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.lengths import read_messages

LENGTHS = (4, 8, 16, 32, 64, 128, 256, 512)
EXAMPLES = (100, 1_000, 10_000, 100_000)
INTENTS = (2, 20, 200, 2_000)
ENGINES = (
    "sentence-transformers",
    "onnxruntime:int8",
    "ours:native:int8:off",
    "ours:native:int8:drop",
    "ours:onnx:int8:off",
    "ours:onnx:int8:drop",
)
# A fit takes from milliseconds to minutes.
_N_FITS = 3
# BANKING77's number of intents, while the number of examples grows.
_N_WAY = 77
# Examples per intent, while the number of intents grows.
_N_SHOT = 10
_MODULE = "benchmarks.scale.classifier_timing"


def measure_tokens(
    messages: Sequence[str],
    engines: Sequence[str],
    settings: WorkerSettings,
    store: RowStore,
    *,
    model: str,
    repetitions: int,
    lengths: Sequence[int] = LENGTHS,
) -> None:
    """Measures one text at lengths up to the model's positions, also beyond its own cut."""
    spec = EncoderSpec.from_folder(settings.folder)
    longest = min(max(lengths), spec.max_positions - spec.position_offset)
    conditions = exact_conditions(
        messages, settings.folder, [length for length in lengths if length <= longest]
    )
    conditions = [dataclasses.replace(c, key={**c.key, "kind": "tokens"}) for c in conditions]
    base = {"benchmark": "scaling", "model": model, "batch_size": 1}
    groups = [[name] for name in engines]
    settings = dataclasses.replace(settings, max_length=longest)
    compare(Comparison(base, groups, conditions, repetitions), settings, store)


def measure_classifier(
    store: RowStore,
    *,
    threads: int,
    repetitions: int,
    examples: Sequence[int] = EXAMPLES,
    intents: Sequence[int] = INTENTS,
) -> None:
    """Measures `PrototypeClassifier.fit` and `.rank` against examples and intents."""
    check_threads(threads)
    base = {"benchmark": "scaling", "threads": threads}
    sizes = [("examples", n, _N_WAY) for n in examples]
    sizes += [("intents", n_way * _N_SHOT, n_way) for n_way in intents]
    todo = [size for size in sizes if not store.has({**base, "engine": "fit", **_key(size)})]
    for size in tqdm(todo, desc="Measuring the classifier"):
        _, n_examples, n_way = size
        times = _time(n_examples, n_way, threads, repetitions)
        store.add(list(_rows({**base, **_key(size)}, times)))


def _key(size: Tuple[str, int, int]) -> Dict[str, Any]:
    return dict(zip(("kind", "n_examples", "n_way"), size))


def _rows(base: Row, times: Dict[str, List[float]]) -> Iterator[Row]:
    machine = environment()
    for engine, seconds in times.items():
        yield {**base, "engine": engine, **summarize(seconds), "environment": machine}


def _time(n_examples: int, n_way: int, threads: int, repetitions: int) -> Dict[str, List[float]]:
    options = {
        "--examples": n_examples,
        "--intents": n_way,
        "--repetitions": repetitions,
        "--threads": threads,
    }
    arguments = [str(part) for pair in options.items() for part in pair]
    result = subprocess.run(
        [sys.executable, "-m", _MODULE, *arguments],
        stdout=subprocess.PIPE,
        check=True,
        text=True,
        env={**os.environ, **thread_variables(threads)},
    )
    times: Dict[str, List[float]] = json.loads(result.stdout.splitlines()[-1])
    return times


def run(arguments: argparse.Namespace) -> None:
    """Measures what the command line asks for."""
    messages, engines = read_messages(arguments.messages), engines_asked(arguments, ENGINES)
    store = store_of(arguments)
    for settings in worker_settings(arguments, messages):
        if arguments.lengths:
            measure_tokens(
                messages,
                engines,
                settings,
                store,
                model=model_name(arguments.model),
                repetitions=arguments.repetitions,
                lengths=arguments.lengths,
            )
        measure_classifier(
            store,
            threads=settings.threads,
            repetitions=min(arguments.repetitions, _N_FITS),
            examples=arguments.examples,
            intents=arguments.intents,
        )


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = store_parser(__file__, __doc__, "growth.jsonl")
    add_engines(made, repetitions=20)
    add_lengths(made, LENGTHS)
    for option, sizes in (("--examples", EXAMPLES), ("--intents", INTENTS)):
        made.add_argument(option, type=int, nargs="*", default=list(sizes), metavar="N")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
