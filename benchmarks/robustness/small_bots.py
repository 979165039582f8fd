"""Small bots: small talk of our own wording, and a few intents of labelled files."""

from __future__ import annotations

import dataclasses
import itertools
import re
from pathlib import Path
from typing import Dict, Iterator, List, Sequence, Tuple

import numpy as np

from benchmarks.robustness.small_talk import HELD_OUT, WORDINGS
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.tasks import read_examples

SMALL_TALK, ORDINARY = "small talk", "ordinary"
N_ORDINARY = (0, 2, 4, 6, 8)
N_EXAMPLES = (4, 6, 8)
# Of each drawn intent, at most and at least.
_N_HELD_OUT, _LEAST_HELD_OUT = 8, 4
# Names of intents that are small talk themselves, or of anything.
_NOT_ORDINARY = re.compile(
    r"affirm|deny|greet|farewell|bye|end_call|thank|acknowledge|repeat|dont_know|^none$|scope|oos|"
    r"dummy|not_specified|mood|vulgar|express|notunderstanding|placeholder|stop|start$|help|"
    r"reaction|replies|selection|chitchat|smalltalk|scenario|compound|^deny|uncertainty",
    re.IGNORECASE,
)


@dataclasses.dataclass(frozen=True)
class SmallBot:
    """A bot of few intents.

    Attributes:
        name: Wording and labelled file.
        shots: Examples of each intent.
        texts: Examples, (n_examples,).
        labels: Intent of each.
        held_out: Messages of the same intents, with their intent, by what they are.
    """

    name: str
    shots: int
    texts: List[str]
    labels: List[str]
    held_out: Dict[str, List[Tuple[str, str]]]


def small_bots(paths: Sequence[Path]) -> Iterator[SmallBot]:
    """Yields a bot for each wording and number of ordinary intents.

    Raises:
        ConfigError: If there are no files, or one holds too few intents.
    """
    if not paths:
        raise ConfigError("there are no labelled files (*.yml) to draw intents of")
    read = {path: _by_intent(path) for path in paths}
    turns = itertools.cycle(read)
    for number, (wording, n) in enumerate(itertools.product(WORDINGS, N_ORDINARY)):
        path = next(turns) if n else None
        shots = N_EXAMPLES[number % len(N_EXAMPLES)]
        drawn: Dict[str, List[str]] = {}
        if path is not None:
            rng = np.random.default_rng(number)
            drawn = _draw(read[path], n, shots + _LEAST_HELD_OUT, rng, path)
        yield _bot(wording, path.stem if path else "none", drawn, shots)


def _bot(wording: str, source: str, drawn: Dict[str, List[str]], shots: int) -> SmallBot:
    examples: Dict[str, Sequence[str]] = {**WORDINGS[wording], **drawn}
    pairs = [(text, intent) for intent, texts in examples.items() for text in texts[:shots]]
    own = [(text, intent) for intent, texts in HELD_OUT.items() for text in texts]
    others = [
        (text, intent)
        for intent, texts in drawn.items()
        for text in texts[shots : shots + _N_HELD_OUT]
    ]
    return SmallBot(
        name=f"{wording}, {source}",
        shots=shots,
        texts=[text for text, _ in pairs],
        labels=[intent for _, intent in pairs],
        held_out={SMALL_TALK: own, ORDINARY: others},
    )


def _by_intent(path: Path) -> Dict[str, List[str]]:
    found: Dict[str, List[str]] = {}
    texts, labels, _ = read_examples(path)
    for text, label in zip(texts, labels):
        if not _NOT_ORDINARY.search(label):
            found.setdefault(label, []).append(text)
    return found


def _draw(
    by_intent: Dict[str, List[str]], n: int, least: int, rng: np.random.Generator, path: Path
) -> Dict[str, List[str]]:
    """Returns n intents with at least so many texts, shuffled."""
    large = sorted(intent for intent, texts in by_intent.items() if len(texts) >= least)
    if len(large) < n:
        raise ConfigError(
            f"'{path}' holds {len(large)} intents of {least} texts that are no small talk, "
            f"expected {n}"
        )
    intents = rng.permutation(large)[:n].tolist()
    return {intent: rng.permutation(by_intent[intent]).tolist() for intent in intents}
