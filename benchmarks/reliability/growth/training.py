"""Measures `rasa train nlu` on large bots, and on the same bots with ten more examples.

The messages are made of real ones, words left out, swapped and added: their number and their
lengths are a large bot's, what they mean is not. Times and memory are measured, not accuracy.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple

import numpy as np
import rasa.shared.utils.io
from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rasa.processes import train_nlu
from benchmarks.rows import append_row, measured
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment, usable_cores
from rasa_tokprune.texts.tasks import read_examples

Example = Tuple[str, str]

SIZES = ("1000x20", "10000x200", "100000x2000")
N_ADDED = 10
_SEED = 0
OURS = "ours"
# What Rasa needs to read and check the same data, without any classifier.
PIPELINES: Dict[str, List[Dict[str, Any]]] = {
    "rasa alone": [{"name": "WhitespaceTokenizer"}],
    OURS: [{"name": "rasa_tokprune.TokPruneIntentClassifier"}],
}


def examples_of(texts: Sequence[str], n_examples: int, n_intents: int) -> Iterator[Example]:
    """Yields different messages and their intents, as many for each intent, always the same ones.

    Args:
        texts: Real messages of more than two words.
        n_examples: How many to make.
        n_intents: Of so many intents; each is about two of the real messages.
    """
    chosen = np.random.default_rng(_SEED)
    words = [text.split() for text in texts]
    about = [_any(words, chosen) + _any(words, chosen) for _ in range(n_intents)]
    seen = set()
    for number in range(n_examples):
        intent = number % n_intents
        while True:
            text = " ".join(_varied(about[intent], _any(words, chosen), chosen))
            if text not in seen:
                break
        seen.add(text)
        yield text, f"intent_{intent}"


def _any(words: Sequence[List[str]], chosen: np.random.Generator) -> List[str]:
    return words[chosen.integers(len(words))]


def _varied(own: Sequence[str], others: List[str], chosen: np.random.Generator) -> List[str]:
    """Returns part of a message's words, two of them swapped, with two words of another."""
    words = [word for word in own if chosen.random() < 0.7] or list(own)
    first, second = chosen.integers(len(words), size=2)
    words[first], words[second] = words[second], words[first]
    return [*words, *chosen.choice(others, size=2, replace=False)]


def write_bot(examples: Sequence[Example], folder: Path) -> Path:
    """Writes nlu.yml, a line at a time (a YAML library takes minutes), and returns it."""
    by_intent: Dict[str, List[str]] = {}
    for text, intent in examples:
        by_intent.setdefault(intent, []).append(text)
    path = folder / "nlu.yml"
    with path.open("w", encoding="utf-8") as file:
        file.write('version: "3.1"\nnlu:\n')
        for intent, texts in by_intent.items():
            file.write(f"- intent: {intent}\n  examples: |\n")
            file.writelines(f"    - {text}\n" for text in texts)
    return path


def measure(pipeline: str, examples: Sequence[Example], threads: int) -> Dict[str, Any]:
    """Trains a bot, and again with ten more examples; returns what it took."""
    old = examples[:-N_ADDED]
    config = {"recipe": "default.v1", "language": "en", "pipeline": PIPELINES[pipeline]}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rasa.shared.utils.io.write_yaml(config, folder / "config.yml")
        first = train_nlu(folder, write_bot(old, folder), threads)
        shutil.rmtree(folder / "models")
        grown = train_nlu(folder, write_bot(examples, folder), threads)
    return {
        "train_s": round(first.seconds, 1),
        "peak_mb": round(first.peak_mb),
        "model_mb": round(first.model_mb, 1),
        "grown_s": round(grown.seconds, 1),
    }


def run(arguments: argparse.Namespace) -> None:
    """Measures and adds a row as soon as it is there."""
    read = (text for path in arguments.messages for text in read_examples(path)[0])
    texts = sorted({text for text in read if _is_plain(text)})
    done = measured(arguments.out, "size", "pipeline")
    wanted = [(size, pipeline) for size in arguments.sizes for pipeline in PIPELINES]
    for size, pipeline in tqdm([pair for pair in wanted if pair not in done], desc="Training"):
        n_examples, n_intents = _counts(size)
        examples = list(examples_of(texts, n_examples + N_ADDED, n_intents))
        load = round(os.getloadavg()[0], 2)
        about = {"size": size, "pipeline": pipeline, "n_examples": n_examples}
        about.update(n_intents=n_intents, threads=len(usable_cores()), load_average=load)
        row = {**about, **measure(pipeline, examples, len(usable_cores()))}
        append_row({**row, "environment": environment()}, arguments.out)
        tqdm.write(json.dumps(row))


def _is_plain(text: str) -> bool:
    """Returns whether a text has words enough, and nothing that Rasa's format reads otherwise."""
    return len(text.split()) > 2 and not set(text) & set("[](){}\\\n\r\t\"'`:#|-*")


def _counts(size: str) -> Tuple[int, int]:
    n_examples, separator, n_intents = size.partition("x")
    if not separator or not n_examples.isdigit() or not n_intents.isdigit():
        raise ConfigError(f"--sizes must be EXAMPLESxINTENTS such as 1000x20, got '{size}'")
    if int(n_examples) < 2 * int(n_intents) or int(n_intents) < 2:
        raise ConfigError(f"--sizes must have 2 intents and 2 examples of each, got '{size}'")
    return int(n_examples), int(n_intents)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "training.jsonl", is_resumed=True)
    made.add_argument(
        "messages", type=Path, nargs="+", help="nlu.yml files, or folders, whose words are taken"
    )
    made.add_argument(
        "--sizes",
        nargs="+",
        default=list(SIZES),
        metavar="EXAMPLESxINTENTS",
        help=f"default: {' '.join(SIZES)}",
    )
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
