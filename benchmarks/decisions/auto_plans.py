"""Measures what `prune: auto` counts on drawn bots, and how often pruning changes what users get.

Bots are drawn of sets of many domains, split as `benchmarks.accuracy.unseen` does it. Each is asked
twice for every plan: its own training messages, out of fold, or messages of users as `certify_on`
takes them; and then other messages of users. Which plan is taken follows from the first count; the
second says how often that plan really changes something.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from benchmarks.accuracy.unseen import LabelledSet, read_set
from benchmarks.bots import open_encoder
from benchmarks.command import add_files, files_of, measuring_parser, run_measuring
from benchmarks.rows import Row, write_rows
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.fewshot import CONTENT_FREE_TEXTS, Messages, embed_names, find_oos_labels
from rasa_tokprune.fewshot.certificate import Outcome, TrainingSet, count_flips, outcomes_of
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.embeddings import EmbeddingStore, embed_texts
from rasa_tokprune.texts.tasks import sample_shots

# Examples of each intent; None is all of them.
SHOTS = (5, 10, None)
SEEDS = (0, 1, 2)
# From the plan that prunes least to the one that prunes most, as `prune: auto` tries them.
PLANS = ("gentle", "light", "balanced", "fast")
N_LOG, LEAST_JUDGED = 400, 100
TRAINING, LOG = "training", "certify_on"

Outcomes = Sequence[Optional[Outcome]]


class EncodedSet:
    """A set of labelled messages as one encoder sees it."""

    def __init__(self, own: LabelledSet, plan: str, encoder: Encoder) -> None:
        """Encodes all texts of the set once."""
        texts = [*own.support, *own.query]
        store = EmbeddingStore(stored_path("embeddings"))
        vectors = embed_texts(encoder, texts, store, f"Encoding: {plan}, {own.name}")
        embeddings = np.stack([vectors[text] for text in texts])
        self._messages = Messages(embeddings, texts, encoder.readable_shares(texts))
        self._labels = own.labels
        self._names = embed_names(own.labels, encoder.encode)
        self._content_free = encoder.encode(CONTENT_FREE_TEXTS)

    def ask(self, rows: np.ndarray) -> Tuple[Outcomes, Outcomes]:
        """Returns what a bot makes of its examples, out of fold, and of the messages to answer.

        Args:
            rows: Numbers of its examples among the set's, (n_examples,).
        """
        labels = [self._labels[row] for row in rows]
        bot = TrainingSet(
            self._messages.take(rows),
            labels,
            names=self._names,
            content_free=self._content_free,
            oos_labels=find_oos_labels(labels),
        )
        query = self._messages.take(np.arange(len(self._labels), len(self._messages)))
        return bot.out_of_fold(), outcomes_of(bot.classifier, query)


def measure(own: LabelledSet, encoded: Dict[str, EncodedSet]) -> Iterator[Row]:
    """Yields a row for each bot, kind of messages that decide, and plan.

    Args:
        own: The set.
        encoded: The same by each plan; the first is the un-pruned reference.
    """
    for shots, seed in itertools.product(SHOTS, SEEDS):
        # All examples are the same ones for every seed; only the log is then drawn anew.
        if shots is not None or seed == SEEDS[0]:
            rows = sample_shots(own.labels, shots, seed)
            found = {plan: each.ask(rows) for plan, each in encoded.items()}
        about = {
            "set": own.name,
            "shots": "all" if shots is None else shots,
            "seed": seed,
            "n_way": len(set(own.labels)),
            "n_examples": len(rows),
        }
        if shots is not None or seed == SEEDS[0]:
            yield from _rows({**about, "messages": TRAINING}, found)
        if len(own.query) >= N_LOG + LEAST_JUDGED:
            order = np.random.default_rng(seed).permutation(len(own.query))
            drawn = {
                plan: ([asked[row] for row in order[:N_LOG]], [asked[row] for row in order[N_LOG:]])
                for plan, (_, asked) in found.items()
            }
            yield from _rows({**about, "messages": LOG}, drawn)


def _rows(about: Row, found: Mapping[str, Tuple[Outcomes, Outcomes]]) -> Iterator[Row]:
    reference, *plans = found
    for plan in plans:
        counted, judged = (_counts(found[reference][part], found[plan][part]) for part in (0, 1))
        yield {**about, "plan": plan, "counted": counted, "judged": judged}


def _counts(reference: Outcomes, served: Outcomes) -> Dict[str, Any]:
    """Returns how many messages were compared, other actions and other top intents."""
    found = count_flips("any", reference, served, 0.5)  # the limit is none of this
    return {"n": found.n_messages, "actions": found.n_flips, "intents": found.n_other_intents}


def run(arguments: argparse.Namespace) -> None:
    """Measures every set."""
    sets = [read_set(name, path) for name, path in files_of(arguments.files)]
    encoders = {plan: open_encoder(plan) for plan in (OFF, *PLANS)}
    machine = environment()
    rows: List[Row] = []
    for own in tqdm(sets, desc="Sets"):
        encoded = {plan: EncodedSet(own, plan, encoder) for plan, encoder in encoders.items()}
        rows += [{**row, "environment": machine} for row in measure(own, encoded)]
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "auto_plans.jsonl")
    add_files(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
