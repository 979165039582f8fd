"""The few-shot classifier: embeddings in, classes with similarity and confidence out."""

from __future__ import annotations

import dataclasses
from typing import List, Optional, Sequence, Tuple

import numpy as np
from scipy.special import expit, softmax

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.prototypes import mean_prototypes, normalize_rows, refine_prototypes
from rasa_tokprune.fewshot.temperature import PRIOR_TEMPERATURE, fit_temperature

N_FOLDS = 3
# A lone class has nothing to be told apart from: confidence is 0.5 at half the similarity its
# own examples have, and this is the slope around it.
_LONE_CLASS_SLOPE = 20.0


@dataclasses.dataclass(frozen=True)
class PrototypeClassifier:
    """Prototypes with everything needed to turn an embedding into a decision.

    Several prototypes may stand for one class (retrieval keys of one intent): the class then
    scores as its best prototype.

    Attributes:
        keys: Name of each prototype, (n_prototypes,).
        classes: Class names, ascending, (n_way,).
        class_of_key: Class number of each prototype, (n_prototypes,).
        prototypes: Unit-length means of the support sets, (n_prototypes, d) float32.
        weights: Prototypes refined discriminatively, (n_prototypes, d) float32.
        biases: (n_prototypes,) float32.
        temperature: Divides the logits before softmax; lower is more confident.
    """

    keys: Tuple[str, ...]
    classes: Tuple[str, ...]
    class_of_key: Tuple[int, ...]
    prototypes: np.ndarray
    weights: np.ndarray
    biases: np.ndarray
    temperature: float

    def __post_init__(self) -> None:
        """Checks that the parts fit together, as damaged files may not."""
        n_keys = len(self.keys)
        shapes = {self.prototypes.shape, self.weights.shape}
        if (
            len(shapes) != 1
            or self.prototypes.ndim != 2
            or {len(self.prototypes), len(self.class_of_key), len(self.biases)} != {n_keys}
            or sorted(set(self.class_of_key)) != list(range(len(self.classes)))
        ):
            raise ConfigError(
                f"prototypes do not fit together: {n_keys} keys, {len(self.classes)} classes, "
                f"arrays of shape {self.prototypes.shape}, {self.weights.shape}, "
                f"{self.biases.shape}"
            )

    @classmethod
    def fit(
        cls,
        embeddings: np.ndarray,
        labels: Sequence[str],
        keys: Optional[Sequence[str]] = None,
    ) -> PrototypeClassifier:
        """Fits prototypes and temperature to a support set. Deterministic.

        Args:
            embeddings: Support set, (n_examples, d), any scale.
            labels: Class of each example, (n_examples,), at least one class.
            keys: Finer name of each example, (n_examples,), one prototype each; every key
                belongs to one class. None takes the labels.

        Raises:
            ConfigError: If the support set is empty or its parts differ in length.
        """
        keys = labels if keys is None else keys
        if len(embeddings) == 0 or not len(embeddings) == len(labels) == len(keys):
            raise ConfigError(
                f"the support set needs as many embeddings as labels and at least one, got "
                f"{len(embeddings)} embeddings, {len(labels)} labels, {len(keys)} keys"
            )
        if not np.isfinite(embeddings).all():
            raise ConfigError("the support set's embeddings hold NaN or infinite values")
        names = tuple(sorted(set(keys)))
        classes = tuple(sorted(set(labels)))
        label_of_key = dict(zip(keys, labels))
        for key, label in zip(keys, labels):
            if label_of_key[key] != label:
                raise ConfigError(
                    f"key '{key}' belongs to both '{label}' and '{label_of_key[key]}'; "
                    f"a key must belong to one class"
                )
        class_of_key = tuple(classes.index(label_of_key[key]) for key in names)
        number = {name: index for index, name in enumerate(names)}
        targets = np.array([number[key] for key in keys])
        unit = normalize_rows(np.asarray(embeddings, dtype=np.float64))
        order = np.lexsort((*unit.round(4).T, targets))  # the file's order must not matter
        unit, targets = unit[order], targets[order]
        prototypes = mean_prototypes(unit, targets, len(names))
        if len(classes) == 1:
            weights, biases = _lone_class(unit, prototypes, targets)
            temperature = 1.0
        else:
            weights, biases = refine_prototypes(unit, targets, len(names))
            temperature = _held_out_temperature(unit, targets, np.array(class_of_key))
        return cls(
            keys=names,
            classes=classes,
            class_of_key=class_of_key,
            prototypes=prototypes.astype(np.float32),
            weights=weights.astype(np.float32),
            biases=biases.astype(np.float32),
            temperature=temperature,
        )

    def similarity(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns each query's cosine to each class's nearest prototype, (n, n_way)."""
        return self._best_of_class(normalize_rows(embeddings) @ self.prototypes.T)

    def predict_proba(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns confidences in [0, 1], (n_queries, n_way), columns as in `classes`.

        Rows sum to 1, except for a single class, whose confidence says how alike a query is
        to its examples.
        """
        logits = normalize_rows(embeddings) @ self.weights.T + self.biases
        scaled = self._best_of_class(logits) / self.temperature
        return np.asarray(softmax(scaled, axis=1) if len(self.classes) > 1 else expit(scaled))

    def predict(self, embeddings: np.ndarray) -> List[str]:
        """Returns the most probable class of each query."""
        return [self.classes[index] for index in self.predict_proba(embeddings).argmax(axis=1)]

    def rank(self, embedding: np.ndarray) -> List[Tuple[str, float]]:
        """Returns all classes of one query, (d,), with confidence, best first."""
        confidences = self.predict_proba(embedding[None])[0]
        order = np.argsort(-confidences, kind="stable")
        return [(self.classes[index], float(confidences[index])) for index in order]

    def _best_of_class(self, scores: np.ndarray) -> np.ndarray:
        return _best_of_class(scores, np.array(self.class_of_key))


def _best_of_class(scores: np.ndarray, class_of_key: np.ndarray) -> np.ndarray:
    """Reduces prototype scores to class scores by maximum, (n, n_prototypes) -> (n, n_way)."""
    n_way = int(class_of_key.max()) + 1
    if n_way == len(class_of_key):
        return scores[:, np.argsort(class_of_key)]
    best = np.full((len(scores), n_way), -np.inf, dtype=scores.dtype)
    for key, index in enumerate(class_of_key):
        best[:, index] = np.maximum(best[:, index], scores[:, key])
    return best


def _lone_class(
    unit: np.ndarray, prototypes: np.ndarray, targets: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    typical = float((unit * prototypes[targets]).sum(axis=1).mean())
    biases = np.full(len(prototypes), -_LONE_CLASS_SLOPE * typical / 2)
    return prototypes * _LONE_CLASS_SLOPE, biases


def _held_out_temperature(unit: np.ndarray, targets: np.ndarray, class_of_key: np.ndarray) -> float:
    """Fits the temperature on logits of examples their own prototypes have not seen."""
    n_keys = len(class_of_key)
    fold_of = _folds(targets, n_keys)
    logits, held_out = [], []
    for fold in range(N_FOLDS):
        is_test = fold_of == fold
        if not is_test.any():
            continue
        weights, biases = refine_prototypes(unit[~is_test], targets[~is_test], n_keys)
        logits.append(_best_of_class(unit[is_test] @ weights.T + biases, class_of_key))
        held_out.append(class_of_key[targets[is_test]])
    if not logits:
        return PRIOR_TEMPERATURE
    return fit_temperature(np.concatenate(logits), np.concatenate(held_out))


def _folds(targets: np.ndarray, n_keys: int) -> np.ndarray:
    """Deals each class's examples to folds in turn; -1 for the only example of a class."""
    fold_of = np.full(len(targets), -1)
    for key in range(n_keys):
        members = np.flatnonzero(targets == key)
        if len(members) > 1:
            fold_of[members] = (np.arange(len(members)) + key) % N_FOLDS
    return fold_of
