"""Gives the components generated configurations: each must work, or be refused in one line.

Keys are ours, with a wild value each or several, misspelt, or of a wrong type. What is taken is
trained and answers a message, so that nothing wrong comes out later.
"""

from __future__ import annotations

import argparse
import collections
import datetime
import random
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from rasa.nlu.tokenizers.whitespace_tokenizer import WhitespaceTokenizer
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.quiet import without_logs
from benchmarks.reliability.fuzz.bots import COMPONENTS, make, training_data
from benchmarks.reliability.fuzz.generated import source
from benchmarks.reliability.fuzz.pace import add_pace, tried
from benchmarks.reliability.fuzz.refusals import FOREIGN, Ending, of_component
from benchmarks.rows import append_row
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment
from tests.checkpoints import N_LAYERS, write_checkpoint

ROWS = "configs.jsonl"
# What YAML can hold, and what users write by mistake.
WILD: List[Any] = [
    None, True, False, 0, 1, -1, 2, 3, 7, 64, 2**31, 2**63, 10**400, 0.0, 0.5, 1.0, -0.5, 1e-300,
    1e308, float("nan"), float("inf"), "", " ", "auto", "off", "on", "null", "0.5", "1",
    "x" * 3000, "a\nb", "\x00", "../..", "~", "/", "é\u202e🙂", "%s", "{}", "a/b", "a/b/c", "light",
    "balanced", "fast", "gentle", "cpu", "cuda", "cuda:9", "mps", "native", "onnx", "torch", "int8",
    "fp32", "bf16", "plan.json", "adapter.safetensors", "freeze", "drop", "faq", "faq/parcel",
    "greet", [], [0], [1], [1, 1], [-1], [0.5], [0, 1, 2, 3], [99], [None], ["greet"], [[1]],
    [0.1] * 50, {}, {"a": 1}, {1: [2]}, datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2),
    b"bytes", (1, 2), {1, 2},
]  # fmt: skip
# Values that some keys take, so that configurations are taken too, and reach further.
LIKELY: Dict[str, List[Any]] = {
    "backend": ["native", "onnx", "torch", "auto"], "precision": ["int8", "fp32", "bf16", "auto"],
    "quantile": [0.0, 0.3, 0.99, [0.2, 0.4]], "prune_layers": [[1, 2], [0], [3], [0, 1, 2, 3]],
    "prune_mode": ["freeze", "drop"], "min_tokens": [0, 5, 10**9, "auto"],
    "prune": ["off", "gentle", "auto", False], "adapter": ["off", "auto", False],
    "max_length": [3, 4, 64, 78], "batch_size": [1, 1000], "cache_size": [0, 1, 10**9],
    "num_threads": [1, 2], "bundle_encoder": [True], "lexical_weight": [0, 0.5, 3, "auto"],
    "oos_intents": [[], ["bye"], ["nobody"]], "ranking_length": [0, 1, 5], "explain": [True],
    "target_in_scope_rejection": [0.0, 0.1, 0.9], "emit_fallback": [True],
    "cross_validation": [False], "use_intent_names": [False], "max_flip_rate": [0.01, 0.5],
    "retrieval_intent": ["faq", "nobody"], "alias": ["name", None], "device": ["cpu", "auto"],
}  # fmt: skip
Config = Dict[Any, Any]


def generated(rng: random.Random, keys: Sequence[str]) -> Config:
    """Returns a configuration with some of the keys."""
    config: Config = {}
    for key in rng.sample(list(keys), k=rng.randint(1, min(5, len(keys)))):
        is_likely = key in LIKELY and rng.random() < 0.8
        config[key] = rng.choice(LIKELY[key] if is_likely else WILD)
    if rng.random() < 0.1:
        name = rng.choice(list(keys))
        config[rng.choice([name + "s", name.upper(), f" {name}", 5, None, True, "", (1,)])] = 1
    return config


def attempt(number: int, config: Config, tiny: Config, folder: Path) -> Ending:
    """Returns how a component took a configuration, from the check to an answered message."""
    component = COMPONENTS[number % len(COMPONENTS)]
    tokenizer = WhitespaceTokenizer(WhitespaceTokenizer.get_default_config())

    def use() -> None:
        merged = {**component.get_default_config(), **tiny, **config}
        component.fingerprint_addon(merged)
        made = make(component, folder, merged)
        made.train(training_data())
        made.process(tokenizer.process([Message({TEXT: "where is my parcel, please?"})]))

    return of_component(use)


def run(n: int, seed: int, minutes: float) -> Tuple[Dict[str, int], List[Dict[str, Any]]]:
    """Returns how often a configuration ended how, and the findings, each kind of them once."""
    rng, counts = source(seed), collections.Counter[str]()
    findings: Dict[str, Dict[str, Any]] = {}
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        tiny = {"model": str(write_checkpoint(base / "checkpoint")), "prune": str(base / "p.json")}
        PruningPlan(N_LAYERS, (0.0, 0.4, 0.3, 0.0), name="tiny").save(Path(tiny["prune"]))
        for number in tried(range(n), n, "Configurations", minutes):
            component = COMPONENTS[number % len(COMPONENTS)]
            config = generated(rng, list(component.get_default_config()))
            end = attempt(number, config, tiny, base / f"{number}")
            counts[end.kind] += 1
            if end.kind == FOREIGN and end.where not in findings:
                shown = {str(key): repr(value)[:80] for key, value in config.items()}
                print(f"\n{component.__name__} {config!r:.300}: {end.said:.300} ({end.where})")
                name_ = component.__name__
                findings[end.where] = {"component": name_, "config": shown, **end.row()}
    return dict(counts), list(findings.values())


def measure(arguments: argparse.Namespace) -> None:
    """Tries the configurations; writes a row.

    Raises:
        ConfigError: If one neither worked nor was refused in one line.
    """
    with without_logs(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counts, findings = run(arguments.n, arguments.seed, arguments.minutes)
    row = {"kind": "configs", "seed": arguments.seed, "asked": arguments.n}
    row.update(n=sum(counts.values()), **counts)
    append_row({**row, "findings": findings, "environment": environment()}, arguments.out)
    if findings:
        raise ConfigError(f"{len(findings)} kinds of findings, the first: {findings[0]}")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, ROWS)
    made.add_argument("-n", type=int, default=1000, help="configurations; default: 1000")
    add_pace(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
