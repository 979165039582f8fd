"""What a process pays before its first answer, and what training the classifier takes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Sequence

import numpy as np
from tqdm import tqdm

from rasa_tokprune.evaluation.bench.machine import environment, thread_variables
from rasa_tokprune.evaluation.bench.rows import Row, RowStore

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
_NAMES = ("import_ms", "load_ms", "first_ms", "train_ms")


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
            key["threads"] = threads
            if store.has(key):
                continue
            request = json.dumps([examples, *engine.split(":"), threads])
            runs = [_start(folder, request, kind, threads) for _ in range(repetitions)]
            row: Row = {**key, "n": repetitions, "n_examples": len(examples)}
            row.update(dict(zip(_NAMES, (np.median(runs, axis=0) * 1e3).tolist())))
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


def start_table(rows: Sequence[Dict[str, Any]]) -> str:
    """Returns a Markdown table, one line per engine and kind of start."""
    rows = [row for row in rows if row["benchmark"] == "start"]
    if not rows:
        return "Not measured yet."
    head = "| ms | start | import | load | first answer | training |"
    lines = [head, "|---|---|--:|--:|--:|--:|"]
    for row in rows:
        cells = " | ".join(f"{row[name]:,.0f}" for name in _NAMES)
        lines.append(f"| {row['engine'].replace(':', ' ')} | {row['kind']} | {cells} |")
    row = rows[0]
    lines += ["", f"{row['task']}, {row['n_examples']} examples, {row['threads']} thread(s)."]
    return "\n".join(lines)
