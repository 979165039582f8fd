"""Bots drawn from a labelled file: support sets of many kinds, queries, messages out of scope."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Sequence

import numpy as np

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.fewshot import Messages, embed_names
from rasa_tokprune.texts.tasks import read_examples

SEEDS = (0, 1)
SHARE_LEFT_OUT = 0.15
FEW = 8
MAX_QUERY = 800


@dataclasses.dataclass(frozen=True)
class DrawnBot:
    """A bot drawn from a labelled file.

    Attributes:
        task: Name of the file.
        sampling: How the support set was drawn.
        seed: Which draw.
        support: The support set, (n_examples,).
        labels: Class of each, (n_examples,).
        names: Embedding of each class's readable name.
        query: In-scope messages, (n_query,).
        answers: Class of each, (n_query,).
        strangers: Messages of intents left out, (n_out,).
    """

    task: str
    sampling: str
    seed: int
    support: Messages
    labels: List[str]
    names: Dict[str, np.ndarray]
    query: Messages
    answers: List[str]
    strangers: Messages

    def without_texts(self) -> DrawnBot:
        """Returns the bot as embeddings alone show it."""
        parts = ("support", "query", "strangers")
        bare = {part: dataclasses.replace(getattr(self, part), texts=None) for part in parts}
        return dataclasses.replace(self, **bare)


def _five(members: np.ndarray, embeddings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(members)[:5]


def _ten(members: np.ndarray, embeddings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(members)[:10]


def _uneven(members: np.ndarray, embeddings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return rng.permutation(members)[: int(np.clip(np.exp(rng.normal(1.6, 0.9)), 1, 14))]


def _narrow(members: np.ndarray, embeddings: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What one author thinks of: an example and those nearest to it; users write otherwise."""
    first = rng.choice(members)
    return members[np.argsort(-(embeddings[members] @ embeddings[first]), kind="stable")[:5]]


SAMPLINGS: Dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]] = {
    "5 shots": _five,
    "10 shots": _ten,
    "uneven": _uneven,
    "narrow": _narrow,
    # Intents of one to three of the file's each, so that some have 20 examples and more.
    "merged": _ten,
    "few intents": _ten,
}


def draw_bots(task: str, path: Path, seeds: Sequence[int] = SEEDS) -> Iterator[DrawnBot]:
    """Yields bots drawn from a labelled file: each sampling with each seed."""
    texts, names, _ = read_examples(path)
    encoder = load_encoder(precision="auto")
    embeddings = encoder.encode(texts)
    readable = embed_names(names, encoder.encode)
    for sampling, seed in itertools.product(SAMPLINGS, seeds):
        messages = Messages(embeddings, texts)
        yield _draw(task, sampling, seed, messages, np.array(names), readable)


def _draw(
    task: str,
    sampling: str,
    seed: int,
    messages: Messages,
    labels: np.ndarray,
    readable: Dict[str, np.ndarray],
) -> DrawnBot:
    rng = np.random.default_rng(seed)
    intents = rng.permutation(np.unique(labels))
    n_out = round(SHARE_LEFT_OUT * len(intents))
    left_out, known = np.split(
        intents, [len(intents) - FEW if sampling == "few intents" else n_out]
    )
    chosen = [
        SAMPLINGS[sampling](np.flatnonzero(labels == intent), messages.embeddings, rng)
        for intent in known
    ]
    support = np.sort(np.concatenate(chosen))
    if sampling == "merged":
        labels = _merge(labels, known, rng)
    query = np.setdiff1d(np.flatnonzero(np.isin(labels, known)), support)
    strangers = np.flatnonzero(np.isin(labels, left_out))
    query, strangers = (rng.permutation(rows)[:MAX_QUERY] for rows in (query, strangers))
    return DrawnBot(
        task=task,
        sampling=sampling,
        seed=seed,
        support=messages.take(support),
        labels=labels[support].tolist(),
        names=readable,
        query=messages.take(query),
        answers=labels[query].tolist(),
        strangers=messages.take(strangers),
    )


def _merge(labels: np.ndarray, intents: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    merged = labels.copy()
    start = 0
    while start < len(intents):
        group = intents[start : start + rng.integers(1, 4)]
        merged[np.isin(labels, group)] = group[0]
        start += len(group)
    return merged
