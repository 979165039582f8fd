"""Measures engines in turn, so that a slow minute of the machine hits them all alike."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import time
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import structlog
from tqdm import tqdm

from benchmarks.engines.registry import REFERENCE, kind_of, label
from benchmarks.engines.worker_process import WorkerError, WorkerProcess, WorkerSettings
from benchmarks.machine import check_threads
from benchmarks.rows import Row, RowStore
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.prototypes import normalize_rows
from rasa_tokprune.machine.environment import environment

logger = structlog.get_logger(__name__)

# Texts on which costs are averaged, and embeddings compared with the reference's.
_N_COSTS = 500
_N_COMPARED = 16
# Thread pools of the engine that ran before go on spinning for some milliseconds.
_SETTLE_S = 0.01


@dataclasses.dataclass(frozen=True)
class Condition:
    """What one row measures.

    Attributes:
        key: Fields that name the condition in a row.
        calls: Texts of each call; repetition r takes call r modulo their number.
        n_warm_texts: Texts of the untimed calls before; None is all of them.
    """

    key: Mapping[str, Any]
    calls: Tuple[Tuple[str, ...], ...]
    n_warm_texts: Optional[int] = None

    @property
    def texts(self) -> List[str]:
        """All different texts."""
        return list(dict.fromkeys(text for call in self.calls for text in call))


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Engines under the same conditions.

    Attributes:
        base: Fields of every row: benchmark, model, batch_size.
        groups: Engines; those of one group share a process, groups have one each.
        conditions: What is measured.
        repetitions: Timed calls for each engine and condition.
        n_warm_calls: Untimed calls on the same text before each timed one.
    """

    base: Mapping[str, Any]
    groups: Sequence[Sequence[str]]
    conditions: Sequence[Condition]
    repetitions: int
    n_warm_calls: int = 1


Seconds = Tuple[float, float]  # of the first call, and of the last


@dataclasses.dataclass(frozen=True)
class _Running:
    name: str
    worker: WorkerProcess
    facts: Dict[str, Any]


def compare(comparison: Comparison, settings: WorkerSettings, store: RowStore) -> None:
    """Measures what `store` does not hold yet and adds it there.

    Raises:
        ConfigError: If there are fewer cores than threads, or no engine can be built.
    """
    check_threads(settings.threads)
    base = {**comparison.base, "threads": settings.threads}
    todo = {
        (name, number)
        for group in comparison.groups
        for name in group
        for number, condition in enumerate(comparison.conditions)
        if not store.has({**base, "engine": label(name), **condition.key})
    }
    names = {name for name, _ in todo}
    groups = [[name for name in group if name in names] for group in comparison.groups]
    groups = [group for group in groups if group]
    if not groups:
        return
    groups = _prepare(groups, settings)
    with contextlib.ExitStack() as stack:
        engines = list(_start(groups, settings, stack))
        if not engines:
            raise ConfigError("none of the engines can be built here; see the notes above")
        times = _time_in_turn(engines, comparison, todo)
        base["n_warm_calls"] = comparison.n_warm_calls
        store.add(list(_rows(base, engines, comparison, times)))


def _rows(
    base: Mapping[str, Any],
    engines: Sequence[_Running],
    comparison: Comparison,
    times: Mapping[Tuple[str, int], Sequence[Seconds]],
) -> Iterator[Row]:
    """Yields a row for each engine and condition with all its repetitions."""
    machine = environment()
    reference = next((engine for engine in engines if engine.name == REFERENCE), None)
    expected = [_embeddings(reference, condition) for condition in comparison.conditions]
    for engine in engines:
        for number, condition in enumerate(comparison.conditions):
            seconds = times.get((engine.name, number), ())
            if len(seconds) == comparison.repetitions:
                row = {**base, "engine": label(engine.name), **condition.key}
                row.update(summarize([last for _, last in seconds]))
                if condition.n_warm_texts is None:
                    row["first_median_ms"] = float(np.median([first for first, _ in seconds])) * 1e3
                row.update(_costs(engine, condition))
                found = None if expected[number] is None else _embeddings(engine, condition)
                if found is not None:
                    row["cosine"] = float((found * expected[number]).sum(axis=1).mean())
                yield {**row, **engine.facts, "environment": machine}


def summarize(seconds: Sequence[float]) -> Row:
    """Returns median and 95th percentile in milliseconds, and how many calls they are of."""
    return {
        "median_ms": float(np.median(seconds)) * 1e3,
        "p95_ms": float(np.percentile(seconds, 95)) * 1e3,
        "n": len(seconds),
    }


def _prepare(groups: Sequence[Sequence[str]], settings: WorkerSettings) -> List[List[str]]:
    """Makes graphs; returns the groups without the engines for which that failed."""
    failed = set()
    names = [name for group in groups for name in group if kind_of(name).is_prepared]
    for name in tqdm(names, desc="Preparing graphs", leave=False):
        try:
            with WorkerProcess([name], settings, is_preparing=True) as worker:
                report = worker.report
        except WorkerError as error:
            report = {name: {"error": str(error)}}
        _note_errors(report)
        failed |= {name for name, content in report.items() if "error" in content}
    left = [[name for name in group if name not in failed] for group in groups]
    return [group for group in left if group]


def _start(
    groups: Sequence[Sequence[str]], settings: WorkerSettings, stack: contextlib.ExitStack
) -> Iterator[_Running]:
    for group in tqdm(groups, desc="Loading engines", leave=False):
        try:
            worker = stack.enter_context(WorkerProcess(group, settings))
        except WorkerError as error:
            logger.warning("rasa_tokprune.bench_engine_skipped", reason=str(error))
            continue
        _note_errors(worker.report)
        for name in group:
            if "error" not in worker.report[name]:
                yield _Running(name, worker, worker.report[name]["facts"])


def _note_errors(report: Mapping[str, Any]) -> None:
    for name, content in report.items():
        if "error" in content:
            logger.warning(
                "rasa_tokprune.bench_engine_skipped", engine=name, reason=content["error"]
            )


def _time_in_turn(
    engines: List[_Running], comparison: Comparison, todo: set[Tuple[str, int]]
) -> Dict[Tuple[str, int], List[Seconds]]:
    """Returns seconds by (engine, condition number); an engine that fails is left out."""
    times: Dict[Tuple[str, int], List[Seconds]] = {}
    failed: set[str] = set()
    conditions = range(len(comparison.conditions))
    steps = list(itertools.product(range(comparison.repetitions), conditions))
    for repetition, number in tqdm(steps, desc=f"Measuring {comparison.base['benchmark']}"):
        condition = comparison.conditions[number]
        texts = condition.calls[repetition % len(condition.calls)]
        first = repetition % len(engines)  # nobody always runs behind the same neighbour
        for engine in engines[first:] + engines[:first]:
            if engine.name in failed or (engine.name, number) not in todo:
                continue
            time.sleep(_SETTLE_S)
            try:
                seconds = engine.worker.seconds(
                    engine.name,
                    texts,
                    n_warm_texts=condition.n_warm_texts,
                    n_warm_calls=comparison.n_warm_calls,
                )
            except WorkerError as error:
                failed.add(engine.name)
                logger.warning("rasa_tokprune.bench_engine_failed", reason=str(error))
                continue
            times.setdefault((engine.name, number), []).append(seconds)
    return times


def _costs(engine: _Running, condition: Condition) -> Row:
    """Returns the mean share of the un-pruned token-layers, where the engine knows it."""
    try:
        costs = engine.worker.costs(engine.name, condition.texts[:_N_COSTS])
    except WorkerError:
        return {}
    return {} if costs is None else {"cost": float(np.mean(costs))}


def _embeddings(engine: Optional[_Running], condition: Condition) -> Optional[np.ndarray]:
    """Returns unit embeddings of some of a condition's texts, (n_texts, embedding_size)."""
    if engine is None:
        return None
    try:
        texts = condition.texts[:_N_COMPARED]
        return normalize_rows(np.array(engine.worker.embeddings(engine.name, texts)))
    except WorkerError:
        return None
