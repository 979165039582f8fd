"""Measures whether one intent of many examples swallows the messages of intents of three.

Each bot has a large intent of a labelled set and up to ten small ones, of three examples each. It
is trained twice: evenly, with three examples of the large intent too, and unevenly, with most of
its texts. Both are asked the same messages, those that are examples of neither.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import sys
from collections import Counter
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple
from unittest.mock import patch

import numpy as np
from tqdm import tqdm

from benchmarks.bots import add_drawn, open_encoder
from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rows import Row, write_rows
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import (
    CONTENT_FREE_TEXTS,
    Messages,
    PrototypeClassifier,
    embed_names,
    prototypes,
)
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.tasks import read_examples

EVEN, UNEVEN = "even", "uneven"
# Tried values of the decision's constant of that name.
ADVANTAGES = (0.0, 0.05, 0.1, 0.15)
N_DRAWS = 3
# Examples of a small intent; small intents of a bot; large intents tried of a set.
N_SHOT, N_SMALL, N_LARGE = 3, 10, 3
# Labels of a set, texts of a small intent and of a large one: at least.
LEAST_LABELS, LEAST_SMALL, LEAST_LARGE = 11, 8, 76
SHARE_OF_LARGE = 0.8


@dataclasses.dataclass(frozen=True)
class UnevenBot:
    """A bot drawn from a labelled set, one of whose intents is large.

    Attributes:
        intent: The large intent.
        draw: Which draw.
        large: Numbers of its texts, in the order they become examples, (n_large,).
        small: The same for each small intent.
    """

    intent: str
    draw: int
    large: np.ndarray
    small: Tuple[np.ndarray, ...]

    def n_large(self, sizes: str) -> int:
        """Returns how many examples the large intent has, `EVEN` or `UNEVEN`."""
        return N_SHOT if sizes == EVEN else int(SHARE_OF_LARGE * len(self.large))

    def examples(self, sizes: str) -> np.ndarray:
        """Returns the numbers of the texts it is trained on, (n_examples,)."""
        own = [rows[:N_SHOT] for rows in self.small]
        return np.concatenate([*own, self.large[: self.n_large(sizes)]])

    def asked(self) -> Dict[str, np.ndarray]:
        """Returns the numbers of the texts it is asked, of small intents and of the large one."""
        small = np.concatenate([rows[N_SHOT:] for rows in self.small])
        return {"small": small, "large": self.large[self.n_large(UNEVEN) :]}


@dataclasses.dataclass(frozen=True)
class EmbeddedSet:
    """A labelled set as an encoder sees it.

    Attributes:
        messages: Its texts, (n_texts,).
        labels: Intent of each, (n_texts,).
        names: Embedding of each intent's readable name.
        content_free: Embeddings of `CONTENT_FREE_TEXTS`, (n_content_free, d).
    """

    messages: Messages
    labels: np.ndarray
    names: Dict[str, np.ndarray]
    content_free: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str], labels: Sequence[str], encoder: Encoder) -> EmbeddedSet:
        """Returns a set of which every text is encoded once, whatever is drawn of it."""
        return cls(
            Messages.encoded(texts, encoder),
            np.array(labels),
            embed_names(labels, encoder.encode),
            encoder.encode(CONTENT_FREE_TEXTS),
        )

    def fit(self, rows: np.ndarray, advantage: float) -> PrototypeClassifier:
        """Returns a classifier as `rasa train` makes it, but for one constant.

        Args:
            rows: Numbers of its examples, (n_examples,).
            advantage: What stands for the constant of that name.
        """
        examples = self.messages.take(rows)
        labels = self.labels[rows].tolist()
        with patch.object(prototypes, "_ADVANTAGE", advantage):
            return PrototypeClassifier.fit(
                examples.embeddings,
                labels,
                names={name: self.names[name] for name in set(labels) & set(self.names)},
                texts=examples.texts,
                readable=examples.readable,
                content_free=self.content_free,
            )


def draw_bots(labels: Sequence[str]) -> Iterator[UnevenBot]:
    """Yields the bots drawn from a set; none if it has too few intents, or no large one.

    Args:
        labels: Intent of each text.
    """
    counts = Counter(labels)
    if len(counts) < LEAST_LABELS:
        return
    large = [intent for intent, n in counts.items() if n >= LEAST_LARGE]
    rows_of = {intent: np.flatnonzero(np.array(labels) == intent) for intent in counts}
    for intent, draw in itertools.product(large[:N_LARGE], range(N_DRAWS)):
        rng = np.random.default_rng(draw)
        others = sorted(own for own, n in counts.items() if n >= LEAST_SMALL and own != intent)
        small = rng.permutation(others)[:N_SMALL]
        yield UnevenBot(
            intent,
            draw,
            rng.permutation(rows_of[intent]),
            tuple(rng.permutation(rows_of[own]) for own in small),
        )


def measure(bot: UnevenBot, own: EmbeddedSet) -> Iterator[Row]:
    """Yields what is answered to messages of the small intents and of the large one, see `count`.

    A row for each size of the large intent, `n_large` examples, and each advantage.
    """
    for sizes, advantage in itertools.product((EVEN, UNEVEN), ADVANTAGES):
        classifier = own.fit(bot.examples(sizes), advantage)
        counts = {
            kind: count(classifier, own.messages.take(rows), own.labels[rows], bot.intent)
            for kind, rows in bot.asked().items()
        }
        yield {
            "intent": bot.intent,
            "draw": bot.draw,
            "n_way": len(classifier.classes),
            "sizes": sizes,
            "n_large": bot.n_large(sizes),
            "advantage": advantage,
            **counts,
        }


def count(
    classifier: PrototypeClassifier, messages: Messages, labels: np.ndarray, large: str
) -> Dict[str, Any]:
    """Returns what is answered to messages.

    Args:
        classifier: What answers.
        messages: (n_messages,).
        labels: Intent of each, (n_messages,).
        large: The large intent.

    Returns:
        `recall`: mean over their intents; `n`: messages; `wrong`: wrong answers; `to_large`: those
        that are the large intent; `sure`: those of a confidence of at least 0.5.
    """
    confidences = classifier.predict_proba(messages)
    answers = np.array(classifier.classes)[confidences.argmax(axis=1)]
    is_sure = confidences.max(axis=1) >= OPERATING_CONFIDENCE
    is_wrong = answers != labels
    recalls = [np.mean(~is_wrong[labels == intent]) for intent in np.unique(labels)]
    return {
        "recall": float(np.mean(recalls)),
        "n": len(labels),
        "wrong": int(is_wrong.sum()),
        "to_large": int((is_wrong & (answers == large)).sum()),
        "sure": int((is_wrong & is_sure).sum()),
    }


def run(arguments: argparse.Namespace) -> None:
    """Measures every bot under each plan.

    Raises:
        ConfigError: If no file has a large intent.
    """
    sets = {path.stem: read_examples(path) for path in sorted(arguments.intents.glob("*.yml"))}
    bots = {name: list(draw_bots(labels)) for name, (_, labels, _) in sets.items()}
    if not any(bots.values()):
        raise ConfigError(
            f"'{arguments.intents}' holds no labelled file (*.yml) of at least {LEAST_LABELS} "
            f"intents, one of them with {LEAST_LARGE} texts"
        )
    machine = environment()
    rows: List[Row] = []
    for plan in tqdm(arguments.prune, desc="Plans"):
        encoder = open_encoder(plan, model=arguments.model)
        for name in tqdm([name for name, drawn in bots.items() if drawn], desc="Sets"):
            own = EmbeddedSet.of(*sets[name][:2], encoder)
            about = {"plan": plan, "min_tokens": encoder.plan.min_tokens, "set": name}
            for bot in bots[name]:
                rows += [{**about, **row, "environment": machine} for row in measure(bot, own)]
    write_rows(rows, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "imbalance.jsonl")
    add_drawn(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
