"""Sets that are never trained on, and what few-shot bots drawn from them do."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import numpy as np

from rasa_tokprune.commands.adapt.mash import draw_mash
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot import (
    CONTENT_FREE_TEXTS,
    Messages,
    PrototypeClassifier,
    embed_names,
)
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.fewshot.metrics import auroc, expected_calibration_error
from rasa_tokprune.texts.tasks import read_examples, sample_shots

N_SHOT = 5
N_STRANGERS = 300
_N_MASH = 100
_MASH_SEED = 10_000  # of another draw than what is trained on; the shortest are in both
# What a training is stopped by: two points of accuracy count as four of AUROC or twelve of mash.
_WEIGHTS = {"accuracy": 0.6, "oos_auroc": 0.3, "mash_answered": -0.1}

# Texts -> (n_texts, d).
Embed = Callable[[Sequence[str]], np.ndarray]
Readable = Callable[[Sequence[str]], np.ndarray]


@dataclasses.dataclass(frozen=True)
class LabelledSet:
    """A set of labelled messages, in two parts.

    Attributes:
        name: Of the set.
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
    """Reads a set and parts it by a hash of each text.

    Every label keeps at least one text for each part, or is left out.

    Raises:
        ConfigError: If it cannot be read, or fewer than two labels are left.
    """
    texts, labels, _ = read_examples(path)
    is_query = np.array([_digest(text)[0] % 2 == 1 for text in texts])
    array = np.array(labels)
    both = [label for label in set(labels) if len(set(is_query[array == label])) == 2]
    if len(both) < 2:
        raise ConfigError(
            f"--judge '{name}': '{path}' has fewer than two intents with texts to learn from and "
            f"to answer; give more examples of each"
        )
    rows = [np.flatnonzero(np.isin(array, both) & (is_query == part)) for part in (False, True)]
    support, query = ([texts[row] for row in part] for part in rows)
    own, answers = (array[part].tolist() for part in rows)
    return LabelledSet(name, support, own, query, answers)


def strangers_of(own: LabelledSet, sets: Sequence[LabelledSet]) -> List[str]:
    """Returns messages of the other sets, out of scope for this one; at most `N_STRANGERS`."""
    others = {text for other in sets if other is not own for text in other.query}
    return sorted(others - {*own.support, *own.query}, key=_digest)[:N_STRANGERS]


class Judges:
    """Sets to judge encoders by while they are trained: one five-shot bot of each."""

    def __init__(self, sets: Sequence[LabelledSet], readable: Readable) -> None:
        """Draws the bots.

        Args:
            sets: At least one; messages of the others are out of scope for it.
            readable: Share of each text that the encoder can read, (n_texts,).
        """
        self._sets = sets
        self._mash = sorted(set(draw_mash(_N_MASH, _MASH_SEED)))
        self._shots = {own.name: sample_shots(own.labels, N_SHOT, 0) for own in sets}
        self._strangers = {own.name: strangers_of(own, sets) for own in sets}
        texts = {*self._mash}
        for own in sets:
            texts |= {*own.query, *self._strangers[own.name], *self._support(own)}
        self._texts = sorted(texts)
        self._readable = dict(zip(self._texts, readable(self._texts).tolist()))

    def measure(self, embed: Embed) -> Dict[str, Any]:
        """Returns `judged`, higher is better, and what it is made of, means over the sets.

        `accuracy`; `oos_auroc`, None where no set has strangers; `ece`; `mash_answered`: the share
        of drawn keyboard mash with a confidence of 0.5 or more; and `sets`: the accuracy of each.
        """
        vectors = dict(zip(self._texts, embed(self._texts)))
        nothing = embed(CONTENT_FREE_TEXTS)
        rows = [self._answer(own, vectors, nothing, embed) for own in self._sets]
        found: Dict[str, Any] = {
            name: _mean([row[name] for row in rows if name in row])
            for name in ("accuracy", "oos_auroc", "ece", "mash_answered")
        }
        judged = sum(weight * (found[name] or 0.0) for name, weight in _WEIGHTS.items())
        sets = {own.name: row["accuracy"] for own, row in zip(self._sets, rows)}
        return {"judged": judged, **found, "sets": sets}

    def _support(self, own: LabelledSet) -> List[str]:
        return [own.support[row] for row in self._shots[own.name]]

    def _answer(
        self,
        own: LabelledSet,
        vectors: Mapping[str, np.ndarray],
        nothing: np.ndarray,
        embed: Embed,
    ) -> Dict[str, float]:
        support = self._support(own)
        labels = [own.labels[row] for row in self._shots[own.name]]
        given = self._messages(support, vectors)
        classifier = PrototypeClassifier.fit(
            given.embeddings,
            labels,
            names=embed_names(labels, embed),
            texts=given.texts,
            readable=given.readable,
            content_free=nothing,
        )
        confidences = classifier.predict_proba(self._messages(own.query, vectors))
        top = confidences.max(axis=1)
        is_right = np.array(
            [classifier.classes[n] == a for n, a in zip(confidences.argmax(axis=1), own.answers)]
        )
        mash = self._top(classifier, self._mash, vectors)
        found = {
            "accuracy": float(is_right.mean()),
            "ece": expected_calibration_error(top, is_right),
            "mash_answered": float((mash >= OPERATING_CONFIDENCE).mean()),
        }
        strangers = self._strangers[own.name]
        if strangers:
            found["oos_auroc"] = auroc(top, self._top(classifier, strangers, vectors))
        return found

    def _top(
        self,
        classifier: PrototypeClassifier,
        texts: Sequence[str],
        vectors: Mapping[str, np.ndarray],
    ) -> np.ndarray:
        return classifier.predict_proba(self._messages(texts, vectors)).max(axis=1)

    def _messages(self, texts: Sequence[str], vectors: Mapping[str, np.ndarray]) -> Messages:
        shares = np.array([self._readable[text] for text in texts])
        return Messages(np.stack([vectors[text] for text in texts]), list(texts), shares)


def _mean(values: Sequence[float]) -> Optional[float]:
    return float(np.mean(values)) if values else None


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
