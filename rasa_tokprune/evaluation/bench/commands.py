"""The command line of the benchmark: `rasa-tokprune bench ...`."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any, List, Sequence

from rasa_tokprune.encoder.checkpoint import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.evaluation.bench import rasa_benchmark, scaling, shapes, start, throughput
from rasa_tokprune.evaluation.bench.checkpoints import SHAPES
from rasa_tokprune.evaluation.bench.engines.registry import (
    DEFAULT,
    check_engines,
    missing_package,
)
from rasa_tokprune.evaluation.bench.latency import measure_latency
from rasa_tokprune.evaluation.bench.machine import check_threads
from rasa_tokprune.evaluation.bench.openvino_int8 import CALIBRATION, N_CALIBRATION
from rasa_tokprune.evaluation.bench.rasa_pipelines import PIPELINES
from rasa_tokprune.evaluation.bench.rows import RowStore
from rasa_tokprune.evaluation.bench.texts import read_messages, sample
from rasa_tokprune.evaluation.bench.worker_process import WorkerSettings

# A fit takes from milliseconds to minutes.
_N_FITS = 3
_NEEDS_BERT = "language-model"


def run_latency(arguments: argparse.Namespace) -> None:
    """Measures one text at a time."""
    messages, engines = read_messages(arguments.messages), _engines(arguments, DEFAULT)
    for settings in _settings(arguments, messages):
        measure_latency(
            messages,
            engines,
            dataclasses.replace(settings, without_avx512=arguments.without_avx512),
            _store(arguments),
            model=_model_name(arguments.model),
            repetitions=arguments.repetitions,
            n_warm_calls=arguments.warm_calls,
            lengths=arguments.lengths,
        )


def run_throughput(arguments: argparse.Namespace) -> None:
    """Measures many texts at once."""
    messages = read_messages(arguments.messages)
    engines = _engines(arguments, throughput.ENGINES)
    for settings in _settings(arguments, messages):
        throughput.measure_throughput(
            messages,
            engines,
            settings,
            _store(arguments),
            model=_model_name(arguments.model),
            repetitions=arguments.repetitions,
            n_texts=arguments.texts,
        )


def run_shapes(arguments: argparse.Namespace) -> None:
    """Measures the paper's table."""
    for name in arguments.shapes:
        if name not in SHAPES:
            raise ConfigError(f"no shape '{name}'.{did_you_mean(name, SHAPES)}")
    messages = read_messages(arguments.messages)
    engines = arguments.engines or shapes.ENGINES
    check_engines([f"{name}:{shapes.OFF}" for name in engines])
    for settings in _settings(arguments, messages):
        shapes.measure_shapes(
            messages,
            engines,
            settings,
            _store(arguments),
            shapes=arguments.shapes,
            repetitions=arguments.repetitions,
            lengths=arguments.lengths,
        )


def run_scaling(arguments: argparse.Namespace) -> None:
    """Measures growth with tokens, examples and intents."""
    messages, engines = read_messages(arguments.messages), _engines(arguments, scaling.ENGINES)
    store = _store(arguments)
    for settings in _settings(arguments, messages):
        if arguments.lengths:
            scaling.measure_tokens(
                messages,
                engines,
                settings,
                store,
                model=_model_name(arguments.model),
                repetitions=arguments.repetitions,
                lengths=arguments.lengths,
            )
        scaling.measure_classifier(
            store,
            threads=settings.threads,
            repetitions=min(arguments.repetitions, _N_FITS),
            examples=arguments.examples,
            intents=arguments.intents,
        )


def run_rasa(arguments: argparse.Namespace) -> None:
    """Measures whole Rasa."""
    for name in arguments.pipelines:
        if name not in PIPELINES:
            raise ConfigError(
                f"no pipeline '{name}'.{did_you_mean(name, PIPELINES)} "
                f"Pipelines: {', '.join(PIPELINES)}"
            )
    task = rasa_benchmark.RasaTask(
        arguments.task, arguments.train, arguments.test, arguments.domain
    )
    for threads in arguments.threads:
        rasa_benchmark.measure_rasa(
            task,
            arguments.pipelines,
            _store(arguments),
            work=arguments.work.expanduser(),
            threads=threads,
            like=find_checkpoint(DEFAULT_MODEL) if _NEEDS_BERT in arguments.pipelines else None,
            settings=dict(map(_setting, arguments.set)),
            n_requests=arguments.requests,
        )


def run_start(arguments: argparse.Namespace) -> None:
    """Measures fresh processes: import, load, first answer, training."""
    from rasa.shared.nlu.training_data.loading import load_data

    examples = load_data(str(arguments.train)).intent_examples
    for threads in arguments.threads:
        start.measure_start(
            [[example.get("text"), example.get("intent")] for example in examples],
            arguments.engines or start.ENGINES,
            _store(arguments),
            folder=find_checkpoint(arguments.model or DEFAULT_MODEL),
            task=arguments.task,
            threads=threads,
            repetitions=arguments.repetitions,
        )


def run_report(arguments: argparse.Namespace) -> None:
    """Writes tables and plots, and on request the break-even lengths."""
    from rasa_tokprune.evaluation.bench.break_even import break_even_lengths, write_break_even
    from rasa_tokprune.evaluation.bench.report import write_report
    from rasa_tokprune.evaluation.bench.rows import read_folder

    written = write_report(
        arguments.data,
        arguments.markdown,
        arguments.plots,
        baseline=arguments.baseline,
        readme=arguments.readme,
    )
    if arguments.break_even is not None:
        write_break_even(break_even_lengths(read_folder(arguments.data)), arguments.break_even)
        written.append(arguments.break_even)
    print("\n".join(f"written: {path}" for path in written))


def _engines(arguments: argparse.Namespace, default: Sequence[str]) -> List[str]:
    """Returns the engines asked for, all of them possible; of the default ones what is here."""
    if arguments.engines:
        check_engines(arguments.engines)
        return list(arguments.engines)
    for name in default:
        package = missing_package(name)
        if package:
            print(f"left out: {name}, '{package}' is not installed (rasa-tokprune[bench])")
    return [name for name in default if missing_package(name) is None]


def _settings(arguments: argparse.Namespace, messages: Sequence[str]) -> List[WorkerSettings]:
    """Returns one for each number of threads; leaves messages for calibration in the folder."""
    for threads in arguments.threads:
        check_threads(threads)
    folder = find_checkpoint(arguments.model or DEFAULT_MODEL).resolve()
    work = arguments.work.expanduser().resolve()
    work.mkdir(parents=True, exist_ok=True)
    lines = sample(messages, min(N_CALIBRATION, len(messages)), seed=0)
    content = "".join(" ".join(line.split()) + "\n" for line in lines)
    (work / CALIBRATION).write_text(content, encoding="utf-8")
    return [WorkerSettings(folder, work, threads=threads) for threads in arguments.threads]


def _store(arguments: argparse.Namespace) -> RowStore:
    return RowStore(arguments.out, force=arguments.force)


def _model_name(model: str) -> str:
    """Returns a model's name for rows: of a folder only the last part."""
    name = model or DEFAULT_MODEL
    return Path(name).resolve().name if Path(name).is_dir() else name.rsplit("/", 1)[-1]


def _setting(text: str) -> tuple[str, Any]:
    key, equals, value = text.partition("=")
    if not equals:
        raise ConfigError(f"--set takes KEY=VALUE, got '{text}'")
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value


_RUN = {
    "latency": run_latency,
    "throughput": run_throughput,
    "shapes": run_shapes,
    "scaling": run_scaling,
    "rasa": run_rasa,
    "start": run_start,
    "report": run_report,
}


def run(arguments: argparse.Namespace) -> None:
    """Runs the benchmark that the command line names."""
    _RUN[arguments.benchmark](arguments)
