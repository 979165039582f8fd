"""Measures what a process pays before its first answer, and what training the classifier takes."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import List, Optional, Sequence

import numpy as np
from tqdm import tqdm

from benchmarks.command import run_measuring
from benchmarks.latency.arguments import store_of, store_parser
from benchmarks.latency.tables import START_STEPS
from benchmarks.machine import thread_variables
from benchmarks.rows import Row, RowStore
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.tasks import read_examples

ENGINES = ("native:int8", "onnx:int8", "onnx:fp32", "torch:bf16", "torch:fp32")
# Runs in a process of its own; prints seconds of each step.
_STEPS = """
import json, sys, time
import numpy, sklearn.linear_model
clock = time.perf_counter
examples, backend, precision, threads = json.load(sys.stdin)
times = [clock()]
from rasa_tokprune import PrototypeClassifier, load_encoder
times.append(clock())
encoder = load_encoder(
    sys.argv[1], backend=backend, precision=precision, num_threads=threads
)
times.append(clock())
encoder.encode(["hello there"])
times.append(clock())
texts, labels = zip(*examples)
PrototypeClassifier.fit(encoder.encode(texts), list(labels))
times.append(clock())
print(json.dumps([b - a for a, b in zip(times, times[1:])]))
"""


def measure_start(
    examples: Sequence[Sequence[str]],
    engines: Sequence[str],
    store: RowStore,
    *,
    folder: Path,
    task: str,
    threads: int,
    repetitions: int,
) -> None:
    """Times import, load, first answer and training in fresh processes.

    numpy and scikit-learn are imported before the clock starts: Rasa has them anyway. "new" starts
    have nothing stored, "stored" ones find what an earlier start on the machine stored.

    Args:
        examples: Pairs of text and intent to train on.
        engines: BACKEND:PRECISION.
        store: Where the rows go.
        folder: The checkpoint.
        task: Name of the examples in the rows.
        threads: Threads of each process.
        repetitions: Processes for each row.
    """
    for engine in tqdm(engines, desc="Starts"):
        for kind in ("new", "stored"):
            key: Row = {"benchmark": "start", "engine": engine, "kind": kind, "task": task}
            key.update(threads=threads, n_examples=len(examples))
            if store.has(key):
                continue
            request = json.dumps([examples, *engine.split(":"), threads])
            runs = [_start(folder, request, kind, threads) for _ in range(repetitions)]
            row: Row = {**key, "n": repetitions}
            row.update(dict(zip(START_STEPS, (np.median(runs, axis=0) * 1e3).tolist())))
            store.add([{**row, "environment": environment()}])


def _start(folder: Path, request: str, kind: str, threads: int) -> List[float]:
    with tempfile.TemporaryDirectory() as cache:
        variables = {**os.environ, **thread_variables(threads)}
        if kind == "new":
            variables["RASA_TOKPRUNE_CACHE"] = cache
        command = [sys.executable, "-c", _STEPS, str(folder)]
        result = subprocess.run(
            command, input=request, capture_output=True, text=True, env=variables, check=True
        )
    seconds: List[float] = json.loads(result.stdout.splitlines()[-1])
    return seconds


def run(arguments: argparse.Namespace) -> None:
    """Measures what the command line asks for."""
    texts, labels, _ = read_examples(arguments.train)
    for threads in arguments.threads:
        measure_start(
            list(zip(texts, labels)),
            arguments.engines,
            store_of(arguments),
            folder=find_checkpoint(arguments.model),
            task=arguments.task,
            threads=threads,
            repetitions=arguments.repetitions,
        )


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = store_parser(__file__, __doc__, "start.jsonl")
    made.add_argument("--task", required=True, help="name of the data in the table")
    made.add_argument("--train", type=Path, required=True, help="training data (YAML)")
    made.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub id")
    made.add_argument("--engines", nargs="+", default=list(ENGINES), metavar="BACKEND:PRECISION")
    made.add_argument("--repetitions", type=int, default=3)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
