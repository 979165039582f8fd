"""Measures accuracy and trust on sets of many domains: five-shot bots, several draws.

Each label's texts are split by a hash into those that examples are drawn from and those that are
answered. Out of scope are messages of the other sets.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import sys
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Sequence

import numpy as np
from tqdm import tqdm

from benchmarks.bots import DEFAULT, open_encoder
from benchmarks.command import add_files, files_of, measuring_parser, run_measuring
from benchmarks.rows import Row, write_rows
from rasa_tokprune.commands.evaluate.predictions import Predictions
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.fewshot import (
    CONTENT_FREE_TEXTS,
    Messages,
    PrototypeClassifier,
    SupportSet,
    embed_names,
    fit_classifier,
)
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.embeddings import EmbeddingStore, embed_texts
from rasa_tokprune.texts.tasks import read_examples, sample_shots

N_SHOT = 5
SEEDS = (0, 1, 2)
N_STRANGERS = 300
WEIGHTS: Dict[str, Optional[float]] = {"embedding alone": 0.0, "two views": None}


@dataclasses.dataclass(frozen=True)
class LabelledSet:
    """A set of labelled messages, in two parts.

    Attributes:
        name: Of the file.
        support: Texts that examples are drawn from, with their labels.
        query: Texts to answer.
        answers: Their labels.
    """

    name: str
    support: List[str]
    labels: List[str]
    query: List[str]
    answers: List[str]


def read_set(name: str, path: Path) -> LabelledSet:
    """Reads a set; every label keeps at least one text for each part, or is left out."""
    texts, labels, _ = read_examples(path)
    is_query = np.array([_digest(text)[0] % 2 == 1 for text in texts])
    array = np.array(labels)
    both = [label for label in set(labels) if len(set(is_query[array == label])) == 2]
    rows = [np.flatnonzero(np.isin(array, both) & (is_query == part)) for part in (False, True)]
    support, query = ([texts[row] for row in part] for part in rows)
    own, answers = (array[part].tolist() for part in rows)
    return LabelledSet(name, support, own, query, answers)


def measure(sets: Sequence[LabelledSet], plan: str, encoder: Encoder) -> Iterator[Row]:
    """Yields a row for each set, draw and way to decide."""
    texts = [text for own in sets for text in (*own.support, *own.query)]
    store = EmbeddingStore(stored_path("embeddings"))
    vectors = embed_texts(encoder, texts, store, f"Encoding: {plan}")
    readable = dict(zip(texts, encoder.readable_shares(texts).tolist()))
    nothing = encoder.encode(CONTENT_FREE_TEXTS)

    def messages(chosen: Sequence[str]) -> Messages:
        shares = np.array([readable[text] for text in chosen])
        return Messages(np.stack([vectors[text] for text in chosen]), list(chosen), shares)

    for own in tqdm(sets, desc=plan):
        others = [text for other in sets if other is not own for text in other.query]
        strangers = sorted(set(others) - {*own.support, *own.query}, key=_digest)[:N_STRANGERS]
        names = embed_names(own.labels, encoder.encode)
        for seed in SEEDS:
            rows = sample_shots(own.labels, N_SHOT, seed)
            given = messages([own.support[row] for row in rows])
            labels = [own.labels[row] for row in rows]
            support = SupportSet.of(
                given.embeddings, labels, None, names, given.texts, given.readable, nothing
            )
            for views, weight in WEIGHTS.items():
                classifier = fit_classifier(support, lexical_weight=weight).classifier
                asked = (messages(own.query), own.answers, messages(strangers))
                yield {
                    "set": own.name,
                    "seed": seed,
                    "plan": plan,
                    "min_tokens": encoder.plan.min_tokens,
                    "views": views,
                    "n_way": len(classifier.classes),
                    **_answer(classifier, *asked).measures(),
                }


def _answer(
    classifier: PrototypeClassifier, query: Messages, answers: List[str], strangers: Messages
) -> Predictions:
    confidences = classifier.predict_proba(query)
    top = confidences.max(axis=1)
    oos = classifier.predict_proba(strangers).max(axis=1)
    return Predictions(
        answers=answers,
        predicted=[classifier.classes[each] for each in confidences.argmax(axis=1)],
        confidences=top.tolist(),
        is_rejected=(top < OPERATING_CONFIDENCE).tolist(),
        oos_confidences=oos.tolist(),
        oos_is_rejected=(oos < OPERATING_CONFIDENCE).tolist(),
    )


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def run(arguments: argparse.Namespace) -> None:
    """Measures every plan on every set."""
    sets = [read_set(name, path) for name, path in files_of(arguments.files)]
    machine = environment()
    rows: List[Row] = []
    for plan in arguments.prune:
        encoder = open_encoder(plan, arguments.adapter)
        rows += [{**row, "environment": machine} for row in measure(sets, plan, encoder)]
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "unseen.jsonl")
    add_files(made)
    made.add_argument(
        "--prune",
        nargs="+",
        default=["off", "light", "balanced", "fast"],
        help=f"plans; {DEFAULT} is what the components do without the key",
    )
    made.add_argument("--adapter", default="auto", help="with every plan; default: auto, its own")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
