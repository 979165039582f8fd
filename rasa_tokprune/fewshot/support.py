"""The support set: labelled embeddings, numbered and put in an order of their own."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, FrozenSet, Mapping, Optional, Sequence, Set, Tuple

import numpy as np
from scipy.sparse import csr_matrix

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.clusters import split_clusters
from rasa_tokprune.fewshot.lexical.ngrams import plain_text
from rasa_tokprune.fewshot.lexical.vocabulary import Vocabulary
from rasa_tokprune.fewshot.messages import HARDLY_READABLE
from rasa_tokprune.fewshot.names import readable_name
from rasa_tokprune.fewshot.prototypes import mean_prototypes, normalize_rows

NO_SOURCE = -1
# A name is kept if its own intent is among the nearest fifth to it.
_TELLING_QUANTILE = 0.8


@dataclasses.dataclass(frozen=True)
class LexicalSupport:
    """The support set as the lexical view sees it.

    Attributes:
        vocabulary: The examples' n-grams.
        rows: Vector of each example, (n_examples, n_ngrams) float32.
        shared: Examples that are those of several classes, as `plain_text` gives them.
    """

    vocabulary: Vocabulary
    rows: csr_matrix
    shared: FrozenSet[str]

    @classmethod
    def of(cls, texts: Sequence[str], targets: np.ndarray, sources: np.ndarray) -> LexicalSupport:
        """Returns the texts of a support set, with their classes and where they come from."""
        classes_of: Dict[str, Set[int]] = {}
        for text, target, source in zip(texts, targets.tolist(), sources):
            if source != NO_SOURCE:
                classes_of.setdefault(plain_text(text), set()).add(target)
        shared = frozenset(text for text, own in classes_of.items() if text and len(own) > 1)
        return cls(*Vocabulary.fit(texts, int(targets.max()) + 1), shared)


@dataclasses.dataclass(frozen=True)
class SupportSet:
    """Labelled embeddings, sorted by prototype, whatever order they were given in.

    Attributes:
        classes: Class names, ascending, (n_way,).
        keys: Name of the key, such as a retrieval key, of each prototype, (n_prototypes,).
        embeddings: Unit-length, zeros where the encoder can hardly read the text,
            (n_examples, d) float32.
        prototype_of: Prototype number of each example, (n_examples,) ascending.
        class_of: Class number of each prototype, (n_prototypes,) ascending.
        sources: Number of each example as given; -1 for the name of an intent, (n_examples,).
        readable: Share of each text that the encoder can read, in [0, 1], (n_examples,).
        lexical: The texts' n-grams; None if no texts were given.
        content_free: Unit-length embeddings of messages that say nothing, (n_content_free, d)
            float32; None looks at none.
    """

    classes: Tuple[str, ...]
    keys: Tuple[str, ...]
    embeddings: np.ndarray
    prototype_of: np.ndarray
    class_of: np.ndarray
    sources: np.ndarray
    readable: np.ndarray
    lexical: Optional[LexicalSupport] = None
    content_free: Optional[np.ndarray] = None

    @property
    def targets(self) -> np.ndarray:
        """Class number of each example, (n_examples,)."""
        return np.asarray(self.class_of[self.prototype_of])

    @property
    def is_name(self) -> np.ndarray:
        """True for intents' names, which are no messages, (n_examples,) bool."""
        return np.asarray(self.sources == NO_SOURCE)

    def oos_numbers(self, oos_labels: Sequence[str]) -> Tuple[int, ...]:
        """Returns the numbers of the classes that mean out-of-scope.

        Args:
            oos_labels: Their names; those that do not occur are ignored.

        Raises:
            ConfigError: If all classes do.
        """
        found = tuple(i for i, name in enumerate(self.classes) if name in set(oos_labels))
        if len(found) == len(self.classes):
            raise ConfigError(
                f"oos_intents names all classes ({', '.join(self.classes)}); leave out at least "
                f"one, or give examples of another"
            )
        return found

    @classmethod
    def of(
        cls,
        embeddings: np.ndarray,
        labels: Sequence[str],
        keys: Optional[Sequence[str]] = None,
        names: Optional[Mapping[str, np.ndarray]] = None,
        texts: Optional[Sequence[str]] = None,
        readable: Optional[np.ndarray] = None,
        content_free: Optional[np.ndarray] = None,
    ) -> SupportSet:
        """Checks and numbers a support set.

        Args:
            embeddings: (n_examples, d), any scale.
            labels: Class of each example, (n_examples,), at least one class.
            keys: Finer name of each example, (n_examples,), at least one prototype each; every
                key belongs to one class. None takes the labels.
            names: Embedding, (d,), of the readable name of a key; a zero one counts for nothing.
            texts: Text of each example, for the lexical view; None goes without it.
            readable: Share of each text that the encoder can read, in [0, 1]; None: all of it.
            content_free: Embeddings of `CONTENT_FREE_TEXTS`, (n_content_free, d), any scale; None
                looks at none.

        Raises:
            ConfigError: If the support set is empty or its parts do not fit.
        """
        keys = labels if keys is None else keys
        _check(embeddings, labels, keys, labels if texts is None else texts)
        readable = np.ones(len(labels)) if readable is None else np.asarray(readable, dtype=float)
        label_of = _label_of_key(keys, labels)
        # Sorted by class, so that the classes of prototypes ascend.
        key_names = sorted(label_of, key=lambda key: (label_of[key], key))
        classes = tuple(sorted(set(labels)))
        number = {key: index for index, key in enumerate(key_names)}
        unit = _unit(embeddings)
        unit[readable < HARDLY_READABLE] = 0.0
        targets = np.array([number[key] for key in keys])
        sources = np.arange(len(keys))
        order = np.lexsort((_places(texts, len(keys)), *unit.round(4).T, targets))
        unit, targets, sources, readable = unit[order], targets[order], order, readable[order]
        if names:
            extra, of_key = _telling_names(names, unit, targets, key_names)
            unit = np.concatenate((unit, extra))
            targets = np.concatenate((targets, of_key))
            sources = np.concatenate((sources, np.full(len(of_key), NO_SOURCE)))
            readable = np.concatenate((readable, np.ones(len(of_key))))
        prototype_of, key_of = split_clusters(unit, targets)
        class_number = {name: index for index, name in enumerate(classes)}
        names_of = tuple(key_names[key] for key in key_of)
        class_of = np.array([class_number[label_of[name]] for name in names_of])
        order = np.argsort(prototype_of, kind="stable")
        lexical = None
        if texts is not None:
            own = [readable_name(key_names[target]) for target in targets]
            own = [own[row] if sources[row] == NO_SOURCE else texts[sources[row]] for row in order]
            lexical = LexicalSupport.of(own, class_of[prototype_of[order]], sources[order])
        return cls(
            classes=classes,
            keys=names_of,
            embeddings=unit[order],
            prototype_of=prototype_of[order],
            class_of=class_of,
            sources=sources[order],
            readable=readable[order],
            lexical=lexical,
            content_free=None if content_free is None else _unit(content_free),
        )


def _check(
    embeddings: np.ndarray, labels: Sequence[str], keys: Sequence[str], texts: Sequence[Any]
) -> None:
    if len(embeddings) == 0 or not len(embeddings) == len(labels) == len(keys) == len(texts):
        raise ConfigError(
            f"the support set needs as many embeddings as labels and at least one, got "
            f"{len(embeddings)} embeddings, {len(labels)} labels, {len(keys)} keys, "
            f"{len(texts)} texts"
        )
    if not np.isfinite(embeddings).all():
        raise ConfigError("the support set's embeddings hold NaN or infinite values")


def _label_of_key(keys: Sequence[str], labels: Sequence[str]) -> Dict[str, str]:
    label_of = dict(zip(keys, labels))
    for key, label in zip(keys, labels):
        if label_of[key] != label:
            raise ConfigError(
                f"key '{key}' belongs to both '{label}' and '{label_of[key]}'; "
                f"a key must belong to one class"
            )
    return label_of


def _telling_names(
    names: Mapping[str, np.ndarray],
    unit: np.ndarray,
    targets: np.ndarray,
    key_names: Sequence[str],
) -> Tuple[np.ndarray, np.ndarray]:
    """Keeps the names that say something: nearer to their own examples than to most others'."""
    given = [number for number, key in enumerate(key_names) if np.any(names.get(key, 0.0))]
    if not given:
        return unit[:0], np.array([], dtype=int)
    vectors = normalize_rows(np.stack([names[key_names[number]] for number in given]))
    cosines = vectors @ mean_prototypes(unit, targets, len(key_names)).T
    own = cosines[np.arange(len(given)), given]
    is_telling = own >= np.quantile(cosines, _TELLING_QUANTILE, axis=1)
    return vectors[is_telling].astype(np.float32), np.array(given)[is_telling]


def _places(texts: Optional[Sequence[str]], n_examples: int) -> np.ndarray:
    """Returns the place of each text in their order; zeros without texts."""
    if texts is None:
        return np.zeros(n_examples, dtype=int)
    return np.unique(np.array(texts, dtype=object), return_inverse=True)[1]


def _unit(embeddings: np.ndarray) -> np.ndarray:
    return normalize_rows(np.asarray(embeddings, dtype=np.float32))
