"""The process an engine runs in: it builds the engine, then times it on request.

It speaks JSON lines: one that says what was built, then one answer to each request on stdin,
`{"engine": NAME, "texts": [...], "want": "time" | "costs" | "embeddings", "n_warm_texts": N,
"n_warm_calls": N}`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, TextIO

from benchmarks.command import module_parser
from benchmarks.engines.registry import build, label, prepare
from benchmarks.engines.settings import Engine, EngineSettings
from benchmarks.machine import pin


def time_encode(
    engine: Engine, texts: Sequence[str], *, n_warm_texts: int, n_warm_calls: int
) -> List[float]:
    """Returns the seconds of the first call and of the one after `n_warm_calls` calls.

    The first comes right after other engines used the machine: its caches are cold.
    """
    seconds = []
    for _ in range(n_warm_calls):
        start = time.perf_counter()
        engine.encode(texts[:n_warm_texts])
        seconds.append(time.perf_counter() - start)
    start = time.perf_counter()
    engine.encode(texts)
    seconds.append(time.perf_counter() - start)
    return [seconds[0], seconds[-1]]


def answer(engines: Dict[str, Engine], request: Dict[str, Any]) -> Dict[str, Any]:
    """Returns what a request asks for."""
    engine, texts = engines[request["engine"]], request["texts"]
    if request["want"] == "time":
        warm = {key: request[key] for key in ("n_warm_texts", "n_warm_calls")}
        return {"seconds": time_encode(engine, texts, **warm)}
    if request["want"] == "costs":
        costs = getattr(engine, "costs", None)
        return {"costs": costs(texts) if costs is not None else None}
    return {"embeddings": engine.encode(texts).tolist()}


def build_all(settings: Sequence[EngineSettings]) -> tuple[Dict[str, Engine], Dict[str, Any]]:
    """Returns the engines that can be built, and for all what to know of them."""
    engines: Dict[str, Engine] = {}
    report: Dict[str, Any] = {}
    for item in settings:
        try:
            engines[item.name] = build(item)
            report[item.name] = {"label": label(item.name), "facts": engines[item.name].facts}
        except Exception as error:  # reported, whatever a library raises
            report[item.name] = {"error": _one_line(error)}
    return engines, report


def serve(settings: Sequence[EngineSettings], requests: TextIO, answers: TextIO) -> None:
    """Builds the engines and answers requests until there are none."""
    engines, report = build_all(settings)
    _send(answers, report)
    for line in requests:
        _send(answers, answer(engines, json.loads(line)))


def prepare_all(settings: Sequence[EngineSettings], answers: TextIO) -> None:
    """Makes graphs and reports which engines could not be prepared."""
    report: Dict[str, Any] = {}
    for item in settings:
        try:
            prepare(item)
            report[item.name] = {}
        except Exception as error:  # reported, whatever a library raises
            report[item.name] = {"error": _one_line(error)}
    _send(answers, report)


def _send(answers: TextIO, content: Dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


def _one_line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())


def _claim_stdout() -> TextIO:
    """Returns the real stdout and points whatever a library prints at stderr."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return answers


def main(arguments: Optional[List[str]] = None) -> None:
    """Parses the command line and serves or prepares."""
    parser = module_parser(__file__, __doc__)
    parser.add_argument("--engine", action="append", required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--max-length", type=int)
    parser.add_argument("--prepare", action="store_true")
    parsed = parser.parse_args(arguments)
    answers = _claim_stdout()
    pin(parsed.threads)
    settings = [
        EngineSettings(
            name=name,
            folder=parsed.model,
            work=parsed.work,
            threads=parsed.threads,
            batch_size=parsed.batch_size,
            max_length=parsed.max_length,
        )
        for name in parsed.engine
    ]
    if parsed.prepare:
        prepare_all(settings, answers)
    else:
        serve(settings, sys.stdin, answers)


if __name__ == "__main__":
    main()
