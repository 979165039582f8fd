"""Compares parts of the few-shot head, and out-of-scope scores, on samples of labelled files.

Each file is sampled three times: 5 examples per intent are the support set, the rest the query; 15%
of the intents are left out of the support set, and their messages are out of scope.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Mapping, Optional, Sequence

import numpy as np
from scipy.special import softmax

from benchmarks.command import add_files, files_of, measuring_parser, run_measuring
from benchmarks.decisions.tables import SCORES
from benchmarks.rows import Row, write_rows
from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.fewshot import PrototypeClassifier, embed_names
from rasa_tokprune.fewshot.calibration.temperature import PRIOR_TEMPERATURE
from rasa_tokprune.fewshot.metrics import auroc
from rasa_tokprune.texts.tasks import read_examples, sample_shots

N_SHOT = 5
SEEDS = (0, 1, 2)
SHARE_LEFT_OUT = 0.15


def measure(task: str, path: Path) -> Iterator[Row]:
    """Yields accuracies and AUROCs for each sample of a labelled file."""
    texts, names, _ = read_examples(path)
    labels = np.array(names)
    encoder = load_encoder(precision="auto")
    embeddings = encoder.encode(texts)
    readable = embed_names(names, encoder.encode)
    for seed in SEEDS:
        intents = np.random.default_rng(seed).permutation(np.unique(labels))
        left_out = intents[: round(SHARE_LEFT_OUT * len(intents))]
        is_known = ~np.isin(labels, left_out)
        known = np.flatnonzero(is_known)
        support = known[sample_shots(labels[known].tolist(), N_SHOT, seed)]
        query = np.setdiff1d(known, support)
        strangers = np.flatnonzero(~is_known)
        yield {
            "task": task,
            "seed": seed,
            "n_shot": N_SHOT,
            "n_way": len(intents) - len(left_out),
            "n_query": len(query),
            "n_out_of_scope": len(strangers),
            **_measure_sample(embeddings, labels, readable, support, query, strangers),
        }


def _measure_sample(
    embeddings: np.ndarray,
    labels: np.ndarray,
    readable: Mapping[str, np.ndarray],
    support: np.ndarray,
    query: np.ndarray,
    strangers: np.ndarray,
) -> Dict[str, float]:
    def fit(names: Optional[Mapping[str, np.ndarray]]) -> PrototypeClassifier:
        return PrototypeClassifier.fit(embeddings[support], labels[support].tolist(), names=names)

    plain, named = fit(None), fit(readable)

    def accuracy(scores: np.ndarray) -> float:
        return float(np.mean(np.array(plain.classes)[scores.argmax(axis=1)] == labels[query]))

    full = np.stack([named.decide(each).scores.class_scores for each in embeddings[query]])
    own, other = (_scores(named, embeddings[rows]) for rows in (query, strangers))
    return {
        "means": accuracy(plain.similarity(embeddings[query])),
        "refined": accuracy(_logits(plain, embeddings[query])),
        "named": accuracy(_logits(named, embeddings[query])),
        "full": accuracy(full),
        **{name: auroc(own[name], other[name]) for name in SCORES},
    }


def _logits(classifier: PrototypeClassifier, embeddings: np.ndarray) -> np.ndarray:
    logits = embeddings @ classifier.head.weights.T + classifier.head.biases
    best = np.full((len(logits), len(classifier.classes)), -np.inf)
    np.maximum.at(best.T, classifier.head.class_of, logits.T)
    return best


def _scores(classifier: PrototypeClassifier, embeddings: np.ndarray) -> Dict[str, np.ndarray]:
    """Returns each out-of-scope score of each query; higher = in scope."""
    logits = _logits(classifier, embeddings).max(axis=1)
    nearest = (embeddings @ classifier.head.examples.T).max(axis=1)
    decided = [classifier.decide(each).scores for each in embeddings]
    class_scores = np.stack([scores.class_scores for scores in decided])
    return {
        "max_softmax": softmax(class_scores / PRIOR_TEMPERATURE, axis=1).max(axis=1),
        "logit": logits,
        "nearest": nearest,
        "logit_nearest": logits + 5 * nearest,
        "in_scope": np.array([s.in_scope[s.class_scores.argmax()] for s in decided]),
    }


def run(arguments: argparse.Namespace) -> None:
    """Measures every file."""
    rows: List[Row] = []
    for name, path in files_of(arguments.files):
        rows += measure(name, path)
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "heads.jsonl")
    add_files(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
