"""Answers generated messages, alone and in batches, on every backend, and checks the answers.

Checked: nothing raises; features are finite and of the right size; what a parse returns is valid
JSON; confidences are in [0, 1] and sorted; a message's answer in a batch is its answer alone.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.quiet import without_logs
from benchmarks.reliability.fuzz.bots import Bot
from benchmarks.reliability.fuzz.generated import generated
from benchmarks.reliability.fuzz.pace import add_pace, tried
from benchmarks.rows import append_row
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment
from tests.checkpoints import N_LAYERS, write_checkpoint

ROWS = "messages.jsonl"
TINY, REAL = "tiny random model", "all-MiniLM-L6-v2"
ENGINES = ("native int8", "onnx int8", "onnx fp32", "torch fp32")
# Of features, between a batch and alone; the C library's are equal.
TOLERANCE = {"native int8": 0.0, "onnx int8": 0.0, "onnx fp32": 0.0, "torch fp32": 1e-4}
BATCH = 32
_MOST_FINDINGS = 20


class Answer(NamedTuple):
    """What the components said of a message: its features, and the output of a parse."""

    features: np.ndarray
    output: Dict[str, Any]


class WrongAnswerError(Exception):
    """A message was answered as it must not be."""


def read(message: Message, n_words: int) -> Answer:
    """Returns a message's answer.

    Raises:
        WrongAnswerError: If it is wrong on its own.
    """
    sequence, sentence = message.get_dense_features(TEXT)
    rows = [each.features for each in (sequence, sentence) if each is not None]
    if sum(map(len, rows)) not in (n_words + 1, 0 if n_words == 0 else n_words + 1):
        raise WrongAnswerError(f"features of {sum(map(len, rows))} rows for {n_words} words")
    features = np.concatenate(rows) if rows else np.zeros((0, 1), np.float32)
    if not np.isfinite(features).all():
        raise WrongAnswerError("features that are not finite")
    output = message.as_dict(only_output_properties=True)
    text = json.dumps(output, allow_nan=False)
    if json.loads(text) != output:
        raise WrongAnswerError("output that JSON changes")
    text.encode("utf-8")
    selection = output["response_selector"]["default"]
    for ranking in (output["intent_ranking"], selection["ranking"]):
        found = [each["confidence"] for each in ranking]
        if found != sorted(found, reverse=True) or not all(0 <= each <= 1 for each in found):
            raise WrongAnswerError(f"a ranking of confidences {found}")
    return Answer(features, output)


def compare(alone: Answer, beside: Answer, tolerance: float) -> float:
    """Returns the largest difference of features.

    Raises:
        WrongAnswerError: If it is above `tolerance`, or one of none and the answers differ at all.
    """
    if alone.features.shape != beside.features.shape:
        raise WrongAnswerError("features of another size in a batch")
    difference = float(np.abs(alone.features - beside.features).max(initial=0.0))
    if difference > tolerance:
        raise WrongAnswerError(f"features that differ by {difference:.2g} in a batch")
    if tolerance == 0.0 and alone.output != beside.output:
        raise WrongAnswerError("another answer in a batch")
    return difference


class Tally:
    """What was seen so far of one engine."""

    def __init__(self) -> None:
        """Starts with nothing."""
        self.n = 0
        self.largest_difference = 0.0
        self.slowest: Tuple[float, str, int] = (0.0, "", 0)
        self.findings: List[Dict[str, Any]] = []

    def found(self, kind: str, text: str, error: BaseException) -> None:
        """Notes a message that was not answered as it must be."""
        if len(self.findings) < _MOST_FINDINGS:
            what = f"{type(error).__name__}: {error}"[:300]
            self.findings.append({"kind": kind, "text": ascii(text[:60]), "what": what})

    def row(self) -> Dict[str, Any]:
        """Returns what a row says of it."""
        seconds, kind, characters = self.slowest
        return {
            "n": self.n,
            "findings": self.findings,
            "largest_difference": self.largest_difference,
            "slowest_cpu_ms": round(1000 * seconds, 1),
            "slowest_kind": kind,
            "slowest_characters": characters,
        }


def check_batch(bot: Bot, batch: Sequence[Tuple[str, str]], tolerance: float, seen: Tally) -> None:
    """Answers messages in one batch and each alone, and notes what is wrong."""
    together = bot.messages([text for _, text in batch])
    n_words = [len(message.get("text_tokens") or []) for message in together]
    try:
        together = bot.process(together)
    except Exception as error:
        seen.found("a batch", batch[0][1], error)
        together = []
    for number, (kind, text) in enumerate(batch):
        seen.n += 1
        (message,) = bot.messages([text])
        # Of the processor: a machine that is busy with other work makes every message wait.
        start = time.process_time()
        try:
            bot.process([message])
            seconds = time.process_time() - start
            seen.slowest = max(seen.slowest, (seconds, kind, len(text)))
            alone = read(message, n_words[number])
            if together:
                beside = read(together[number], n_words[number])
                difference = compare(alone, beside, tolerance)
                seen.largest_difference = max(seen.largest_difference, difference)
        except Exception as error:
            seen.found(kind, text, error)


def batches(seed: int, n: int) -> Iterator[List[Tuple[str, str]]]:
    """Yields generated messages, BATCH at a time."""
    batch: List[Tuple[str, str]] = []
    for message in generated(seed, n):
        batch.append(message)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def config_of(model: str, engine: str, folder: Path) -> Dict[str, Any]:
    """Returns the components' configuration; nothing is remembered from one call to the next."""
    backend, precision = engine.split()
    config: Dict[str, Any] = {"backend": backend, "precision": precision, "cache_size": 0}
    if model == REAL:
        return {**config, "num_threads": 1}
    checkpoint, plan = folder / "checkpoint", folder / "plan.json"
    if not checkpoint.is_dir():
        write_checkpoint(checkpoint)
        PruningPlan(N_LAYERS, (0.0, 0.4, 0.3, 0.0), name="tiny").save(plan)
    return {**config, "model": str(checkpoint), "prune": str(plan), "num_threads": 1}


def run(model: str, engine: str, n: int, seed: int, minutes: float) -> Dict[str, Any]:
    """Returns what came out of n messages on one engine, or of fewer in so many minutes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bot, seen = Bot(folder / "storage", config_of(model, engine, folder)), Tally()
        start = time.monotonic()
        n_batches = math.ceil(n / BATCH)
        for batch in tried(batches(seed, n), n_batches, f"{model}, {engine}", minutes):
            check_batch(bot, batch, TOLERANCE[engine], seen)
    seconds = round(time.monotonic() - start, 1)
    return {"kind": "messages", "model": model, "engine": engine, "seed": seed,
            "asked": n, **seen.row(), "seconds": seconds}  # fmt: skip


def measure(arguments: argparse.Namespace) -> None:
    """Runs all engines; writes a row for each.

    Raises:
        ConfigError: If a message was not answered as it must be.
    """
    wrong = 0
    with without_logs(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for model, n in ((TINY, arguments.n), (REAL, arguments.real)):
            for engine in arguments.engines if n else ():
                row = run(model, engine, n, arguments.seed, arguments.minutes)
                wrong += len(row["findings"])
                append_row({**row, "environment": environment()}, arguments.out)
    if wrong:
        raise ConfigError(f"{wrong} messages were not answered as they must be: {arguments.out}")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, ROWS)
    made.add_argument("-n", type=int, default=100_000, help="messages of the tiny model")
    made.add_argument("--real", type=int, default=2_000, help=f"messages of {REAL}")
    made.add_argument("--engines", nargs="+", choices=ENGINES, default=ENGINES, metavar="ENGINE")
    add_pace(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
