"""Counts what `rasa-tokprune doctor` tells of labels and names, as published and exchanged.

In every bot some labels are exchanged for another intent's at random, three times; an example is
told if, held out, another intent has a class score higher by a threshold. And ten times the names
of two intents are exchanged.
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

import numpy as np
from tqdm import tqdm

from benchmarks.bots import DEFAULT, open_encoder
from benchmarks.command import add_files, files_of, measuring_parser, run_measuring
from benchmarks.rows import Row, write_rows
from rasa_tokprune.commands.doctor.checks.labels import (
    SURELY,
    SWAPPED,
    names_and_means,
    swapped_pairs,
)
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.fewshot import find_oos_labels
from rasa_tokprune.fewshot.certificate import TrainingSet
from rasa_tokprune.fewshot.classifier import fit_classifier
from rasa_tokprune.fewshot.report import SUSPICIOUS
from rasa_tokprune.texts.tasks import read_examples

SHARE = 0.03
SEEDS = (0, 1, 2)
N_SWAPS = 10
# From the report's on up to twice the doctor's.
THRESHOLDS = (SUSPICIOUS, 4.0, SURELY, 7.0, 10.0)


def measure(bot: str, path: Path, encoder: Encoder) -> Iterator[Row]:
    """Yields a row for the names and one for each time labels were exchanged."""
    texts, labels, _ = read_examples(path)
    pairs = list(dict.fromkeys(zip(texts, labels)))
    texts, labels = [text for text, _ in pairs], [label for _, label in pairs]
    yield {"bot": bot, "kind": "names", **measure_names(texts, labels, encoder)}
    examples = TrainingSet.encoded(
        texts, labels, labels, encoder, oos_labels=find_oos_labels(labels)
    )
    for seed in SEEDS:
        yield {"bot": bot, "kind": "labels", "seed": seed, **measure_labels(examples, seed)}


def measure_names(texts: Sequence[str], labels: Sequence[str], encoder: Encoder) -> Row:
    """Returns the largest gain of two names as published, and which exchanges are found."""
    names, vectors, means = names_and_means(texts, labels, encoder)
    gains = [gain for *_, gain in swapped_pairs(vectors, means)]
    rng, found = np.random.default_rng(0), []
    for _ in range(N_SWAPS if len(names) > 1 else 0):
        pair = sorted(rng.choice(len(names), 2, replace=False).tolist())
        exchanged = vectors.copy()
        exchanged[pair] = vectors[pair[::-1]]
        told = [[one, other] for one, other, gain in swapped_pairs(exchanged, means)
                if gain > SWAPPED]  # fmt: skip
        found.append(pair in told)
    largest = max(gains, default=0.0)
    return {"largest_gain": largest, "n_exchanged": len(found), "n_found": sum(found)}


def measure_labels(examples: TrainingSet, seed: int) -> Row:
    """Returns how many exchanged labels, and how many of the others, each threshold tells."""
    labels = list(examples.labels)
    intents = sorted(set(labels))
    rng = np.random.default_rng(seed)
    wrong = rng.choice(len(labels), max(1, round(SHARE * len(labels))), replace=False)
    for row in wrong:
        others = [intent for intent in intents if intent != labels[row]]
        labels[row] = others[int(rng.integers(len(others)))]
    noisy = dataclasses.replace(examples, labels=labels, keys=labels)
    fitted = fit_classifier(noisy.support, oos_labels=_known(noisy.oos_labels, labels))
    held_out, support = fitted.calibration.held_out, noisy.support
    targets = support.targets[held_out.rows]
    own = held_out.class_scores[np.arange(len(targets)), targets]
    excess = held_out.class_scores.max(axis=1) - own
    is_wrong = np.isin(support.sources[held_out.rows], wrong)
    counts: Dict[str, int] = {"n_wrong": int(is_wrong.sum()), "n_right": int((~is_wrong).sum())}
    for threshold in THRESHOLDS:
        is_told = excess > threshold
        counts[f"wrong_over_{threshold:g}"] = int((is_told & is_wrong).sum())
        counts[f"right_over_{threshold:g}"] = int((is_told & ~is_wrong).sum())
    return {"n_intents": len(intents), **counts}


def _known(oos_labels: Sequence[str], labels: Sequence[str]) -> List[str]:
    return [label for label in oos_labels if label in labels]


def run(arguments: argparse.Namespace) -> None:
    """Measures every file, with the encoder that the components take."""
    encoder = open_encoder(DEFAULT)
    rows: List[Row] = []
    for name, path in tqdm(files_of(arguments.files), desc="Labels"):
        rows += measure(name, path, encoder)
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "labels.jsonl")
    add_files(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
