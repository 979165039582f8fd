"""The support set: labelled embeddings, numbered and put in an order of their own."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Mapping, Optional, Sequence, Set, Tuple

import numpy as np
from scipy.sparse import csr_matrix

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.clusters import split_clusters
from rasa_tokprune.fewshot.lexical.vocabulary import Vocabulary, row_vector
from rasa_tokprune.fewshot.names import readable_name
from rasa_tokprune.fewshot.prototypes import mean_prototypes, normalize_rows

NO_SOURCE = -1
# A name is kept if its own intent is among the nearest fifth to it.
_TELLING_QUANTILE = 0.8
# An example of which the encoder reads less says nothing in its embedding.
_LEAST_READABLE = 0.5


@dataclasses.dataclass(frozen=True)
class LexicalSupport:
    """The support set as the lexical view sees it.

    Attributes:
        vocabulary: The examples' n-grams.
        rows: Vector of each example, (n_examples, n_ngrams) float32.
    """

    vocabulary: Vocabulary
    rows: csr_matrix


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
    """

    classes: Tuple[str, ...]
    keys: Tuple[str, ...]
    embeddings: np.ndarray
    prototype_of: np.ndarray
    class_of: np.ndarray
    sources: np.ndarray
    readable: np.ndarray
    lexical: Optional[LexicalSupport] = None

    @property
    def targets(self) -> np.ndarray:
        """Class number of each example, (n_examples,)."""
        return np.asarray(self.class_of[self.prototype_of])

    @property
    def is_name(self) -> np.ndarray:
        """True for intents' names, which are no messages, (n_examples,) bool."""
        return np.asarray(self.sources == NO_SOURCE)

    @property
    def is_shared(self) -> np.ndarray:
        """True for examples that are those of another class too, in both views, (n_examples,)."""
        classes: Dict[bytes, Set[int]] = {}
        contents = [self._content(row) for row in range(len(self.embeddings))]
        for content, target in zip(contents, self.targets.tolist()):
            classes.setdefault(content, set()).add(target)
        return np.array([len(classes[content]) > 1 for content in contents])

    def _content(self, row: int) -> bytes:
        content = self.embeddings[row].round(3).tobytes()
        if self.lexical is not None:
            vector = row_vector(self.lexical.rows, row)
            content += vector.columns.tobytes() + vector.values.tobytes()
        return content

    @classmethod
    def of(
        cls,
        embeddings: np.ndarray,
        labels: Sequence[str],
        keys: Optional[Sequence[str]] = None,
        names: Optional[Mapping[str, np.ndarray]] = None,
        texts: Optional[Sequence[str]] = None,
        readable: Optional[np.ndarray] = None,
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
        unit = normalize_rows(np.asarray(embeddings, dtype=np.float32))
        unit[readable < _LEAST_READABLE] = 0.0
        targets = np.array([number[key] for key in keys])
        sources = np.arange(len(keys))
        order = np.lexsort((*unit.round(4).T, targets))
        unit, targets, sources, readable = unit[order], targets[order], order, readable[order]
        if names:
            extra, of_key = _telling_names(names, unit, targets, key_names)
            unit = np.concatenate((unit, extra))
            targets = np.concatenate((targets, of_key))
            sources = np.concatenate((sources, np.full(len(of_key), NO_SOURCE)))
            readable = np.concatenate((readable, np.ones(len(of_key))))
        own_texts = texts and [
            readable_name(key_names[target]) if source == NO_SOURCE else texts[source]
            for target, source in zip(targets, sources)
        ]
        prototype_of, key_of = split_clusters(unit, targets)
        class_number = {name: index for index, name in enumerate(classes)}
        names_of = tuple(key_names[key] for key in key_of)
        class_of = np.array([class_number[label_of[name]] for name in names_of])
        order = np.argsort(prototype_of, kind="stable")
        lexical = own_texts and _lexical([own_texts[row] for row in order], len(classes))
        return cls(
            classes=classes,
            keys=names_of,
            embeddings=unit[order],
            prototype_of=prototype_of[order],
            class_of=class_of,
            sources=sources[order],
            readable=readable[order],
            lexical=lexical or None,
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


def _lexical(texts: Sequence[str], n_way: int) -> LexicalSupport:
    return LexicalSupport(*Vocabulary.fit(texts, n_way))
