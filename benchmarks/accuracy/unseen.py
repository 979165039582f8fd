"""Measures accuracy and trust on sets of many domains: five-shot bots, several draws.

Each label's texts are split by a hash into those that examples are drawn from and those that are
answered. Out of scope are messages of the other sets.
"""

from __future__ import annotations

import argparse
import sys
from typing import Dict, Iterator, List, Optional, Sequence

import numpy as np
from tqdm import tqdm

from benchmarks.bots import DEFAULT, open_encoder
from benchmarks.command import add_files, files_of, measuring_parser, run_measuring
from benchmarks.rows import Row, write_rows
from rasa_tokprune.commands.adapt.judges import N_SHOT, LabelledSet, read_set, strangers_of
from rasa_tokprune.commands.evaluate.predictions import Predictions
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.formats import AUTO
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
from rasa_tokprune.texts.tasks import sample_shots

SEEDS = (0, 1, 2, 3, 4)
WEIGHTS: Dict[str, Optional[float]] = {"embedding alone": 0.0, "two views": None}


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
        strangers = strangers_of(own, sets)
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


def run(arguments: argparse.Namespace) -> None:
    """Measures every plan on every set."""
    sets = [read_set(name, path) for name, path in files_of(arguments.files)]
    machine = environment()
    rows: List[Row] = []
    for plan in arguments.prune:
        name, _, adapter = plan.partition("+")
        encoder = open_encoder(name, adapter or AUTO)
        rows += [{**row, "environment": machine} for row in measure(sets, plan, encoder)]
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "unseen.jsonl")
    add_files(made)
    made.add_argument(
        "--prune",
        nargs="+",
        default=["off", "off+light", "light", "balanced", "fast"],
        metavar="PLAN[+ADAPTER]",
        help=f"plans, with their own adapters or others; {DEFAULT} is what the components do "
        "without the key",
    )
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
