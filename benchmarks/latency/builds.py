"""Compares the builds of the C library that this CPU can run: are all embeddings the same?

Every message of the files is encoded by every build; those of the fastest are the measure. Each
also encodes messages one at a time against the clock.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from benchmarks.command import run_measuring
from benchmarks.latency.arguments import add_engines, model_name, store_of, store_parser
from benchmarks.machine import check_threads, thread_variables
from benchmarks.rows import Row, RowStore
from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.encoder.backends.builds import CPU_VARIABLE, runnable_builds
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.lengths import read_messages

_CHUNK = 500
_N_TIMED = 200


def compare_builds(
    messages: Sequence[str], store: RowStore, *, folder: str, model: str, plans: Sequence[str]
) -> None:
    """Adds a row for each build and plan: how many embeddings equal the fastest build's.

    Args:
        messages: Distinct texts.
        store: Where the rows go.
        folder: The checkpoint, a folder or hub id.
        model: Its name in the rows.
        plans: Names of pruning plans.
    """
    builds = list(runnable_builds())
    for plan in plans:
        base: Row = {"benchmark": "builds", "model": model, "threads": 1, "kind": plan}
        expected: Optional[np.ndarray] = None
        for build in tqdm(builds, desc=f"Builds, plan {plan}"):
            key = {**base, "engine": build, "n_texts": len(messages)}
            embeddings, median_ms = _in_process(folder, plan, build, messages)
            expected = embeddings if expected is None else expected
            n_same = int((embeddings == expected).all(axis=1).sum())
            row = {**key, "n_same": n_same, "median_ms": median_ms, "environment": environment()}
            store.add([row])


def _in_process(
    folder: str, plan: str, build: str, messages: Sequence[str]
) -> Tuple[np.ndarray, float]:
    """Returns all embeddings and the median milliseconds of one message."""
    variables = {**thread_variables(1), CPU_VARIABLE: build}
    context = multiprocessing.get_context("spawn")  # a build is chosen once for each process
    with ProcessPoolExecutor(1, context, _set_variables, (variables,)) as pool:
        chunks = [messages[start : start + _CHUNK] for start in range(0, len(messages), _CHUNK)]
        progress = tqdm(chunks, desc=build, leave=False)
        parts = [pool.submit(_encode, folder, plan, chunk).result() for chunk in progress]
        timed = pool.submit(_time, folder, plan, messages[:: -(-len(messages) // _N_TIMED)])
        return np.concatenate(parts), timed.result()


def _set_variables(variables: Dict[str, str]) -> None:
    os.environ.update(variables)


def _encode(folder: str, plan: str, texts: Sequence[str]) -> np.ndarray:
    return load_encoder(
        folder, prune=plan, backend="native", precision="int8", num_threads=1
    ).encode(texts)


def _time(folder: str, plan: str, texts: Sequence[str]) -> float:
    encoder = load_encoder(folder, prune=plan, backend="native", precision="int8", num_threads=1)
    times: List[float] = []
    for text in texts:
        encoder.encode([text])
        start = time.perf_counter()
        encoder.encode([text])
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1e3


def run(arguments: argparse.Namespace) -> None:
    """Measures what the command line asks for."""
    check_threads(1)
    messages = list(dict.fromkeys(read_messages(arguments.messages)))
    if not runnable_builds():
        raise ConfigError("there is no build of the C library for this machine")
    compare_builds(
        messages,
        store_of(arguments),
        folder=arguments.model,
        model=model_name(arguments.model),
        plans=arguments.prune,
    )


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = store_parser(__file__, __doc__, "builds.jsonl")
    add_engines(made, repetitions=1)
    made.add_argument("--prune", nargs="+", default=["off", "light"], metavar="PLAN")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
