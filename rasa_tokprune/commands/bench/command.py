"""The command line of `rasa-tokprune bench`: encoders opened, timed in turn, a table."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from rasa_tokprune.commands.bench.timing import time_in_turn
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder, resolve_plan
from rasa_tokprune.encoder.backends.choice import choose
from rasa_tokprune.encoder.checkpoint.find import find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.default_plan import shipped_plans_for
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.extras import is_installed
from rasa_tokprune.machine.environment import environment, usable_cores
from rasa_tokprune.texts.lengths import read_messages, sample

_SEED = 0
_REFERENCE = "torch:fp32"
_COLUMNS = ("backend", "plan", "p50 ms", "p95 ms", "per s", "time", "cost")


@dataclasses.dataclass(frozen=True)
class Timed:
    """An encoder to time, with its name in the table."""

    plan: str
    encoder: Encoder

    @property
    def engine(self) -> Tuple[str, str]:
        """Backend and number format."""
        return self.encoder.model.backend.value, self.encoder.model.precision.value


def run(arguments: argparse.Namespace) -> None:
    """Shows a table of the time that one message takes.

    Raises:
        TokPruneError: If the input is wrong.
    """
    screen = Screen.of(arguments)
    _check_count("--repetitions", arguments.repetitions)
    _check_count("--threads", arguments.threads, len(usable_cores()))
    messages = read_messages(arguments.messages)
    encoders = _open(arguments, screen)
    texts = sample(messages, arguments.repetitions, _SEED)
    seconds = time_in_turn(
        [each.encoder for each in encoders], texts, arguments.repetitions, not arguments.quiet
    )
    rows = [_row(each, texts, own) for each, own in zip(encoders, seconds.T)]
    rows.sort(key=lambda row: (row["backend"], row["precision"], -row["cost"]))
    if not screen.is_json:
        show(screen, rows, arguments.threads)
        return
    machine = {"threads": arguments.threads, "environment": environment()}
    for row in rows:
        screen.json({**row, **machine})


def _check_count(option: str, value: int, most: float = float("inf")) -> None:
    if not 1 <= value <= most:
        upto = "" if most == float("inf") else f" to {most:.0f}, the cores this process may use"
        raise ConfigError(f"{option} must be a whole number from 1{upto}; got {value}")


def _open(arguments: argparse.Namespace, screen: Screen) -> List[Timed]:
    """Opens every backend with every plan, `off` first; of equal ones only the first."""
    folder = find_checkpoint(arguments.model)
    spec = EncoderSpec.from_folder(folder)
    plans = _plans(arguments.prune, folder, spec)
    engines = dict.fromkeys(
        choose(*_backend_and_precision(each), "cpu", spec)
        for each in arguments.backends or _default_backends()
    )
    pairs = [(engine, name, plan) for engine in engines for name, plan in plans.items()]
    opened = []
    for (backend, precision), name, plan in screen.progress(pairs, "Loading"):
        encoder = load_encoder(
            str(folder),
            prune=plan,
            adapter=OFF if name == OFF else arguments.adapter,
            backend=backend.value,
            precision=precision.value,
            num_threads=arguments.threads,
        )
        opened.append(Timed(name, encoder))
    return opened


def _default_backends() -> List[str]:
    """Returns what is timed where none is named: the components' and, if it is here, torch's."""
    return [AUTO, _REFERENCE] if is_installed("torch") else [AUTO]


def _plans(names: Sequence[str], folder: Path, spec: EncoderSpec) -> Dict[str, PruningPlan]:
    """Returns `off` and the plans asked for, or all shipped ones that were made for the encoder."""
    plans = {OFF: PruningPlan.identity(spec.n_layers)}
    if names:
        return {**plans, **{name: resolve_plan(name, spec.n_layers) for name in names}}
    return {**plans, **shipped_plans_for(folder, spec)}


def _backend_and_precision(name: str) -> Tuple[str, str]:
    backend, _, precision = name.partition(":")
    return backend, precision or AUTO


def _row(timed: Timed, texts: Sequence[str], seconds: np.ndarray) -> Dict[str, Any]:
    backend, precision = timed.engine
    different = list(dict.fromkeys(texts))
    encoded = timed.encoder.encode_detailed(different)
    return {
        "backend": backend,
        "precision": precision,
        "build": timed.encoder.model.build,
        "plan": timed.plan,
        "messages": len(texts),
        "tokens_mean": round(float(np.mean([len(each.tokens) for each in encoded])), 1),
        "p50_ms": float(np.median(seconds)) * 1e3,
        "p95_ms": float(np.percentile(seconds, 95)) * 1e3,
        "messages_per_s": 1 / float(seconds.mean()),
        "cost": round(float(np.mean([each.cost for each in encoded])), 3),
    }


def show(screen: Screen, rows: Sequence[Dict[str, Any]], threads: int) -> None:
    """Shows a line for each backend and plan, and where they were timed.

    `cost` is the share of the un-pruned encoder's token-layers, `time` the median as a share of
    the same backend's un-pruned median.
    """
    base: Dict[Tuple[str, str], float] = {}
    cells = []
    for row in rows:
        engine = (row["backend"], row["precision"])
        base.setdefault(engine, row["p50_ms"])
        share = row["p50_ms"] / base[engine]
        numbers = f"{row['p50_ms']:.2f} {row['p95_ms']:.2f} {row['messages_per_s']:.0f} {share:.2f}"
        cells.append([" ".join(engine), row["plan"], *numbers.split(), f"{row['cost']:.2f}"])
    screen.table(_COLUMNS, cells, n_left=2)
    screen.line(
        f"{rows[0]['messages']} messages, {rows[0]['tokens_mean']} tokens on average, one at a "
        f"time, {threads} thread{'s' * (threads > 1)}; {environment()['cpu']}",
        meaning="faint",
    )
    for build in dict.fromkeys(row["build"] for row in rows if row["build"]):
        screen.line(f"native: the C library built for '{build}' (docs/builds.md)", meaning="faint")
