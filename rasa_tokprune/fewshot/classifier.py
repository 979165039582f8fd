"""The few-shot classifier: embeddings in, classes with similarity and confidence out."""

from __future__ import annotations

import dataclasses
import math
from typing import List, Mapping, Optional, Sequence, Tuple

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.confidence import (
    DEFAULT_TARGET_REJECTION,
    OPERATING_CONFIDENCE,
    ConfidenceMap,
)
from rasa_tokprune.fewshot.head import PrototypeHead, Scores
from rasa_tokprune.fewshot.prototypes import normalize_rows
from rasa_tokprune.fewshot.support import SupportSet

# How much an out-of-scope class that comes near takes from the in-scope score, and from what
# difference of class scores on. Measured on the adaptation splits with 24 examples out of scope.
_OOS_WEIGHT, _OOS_MARGIN = 2.0, 1.0


@dataclasses.dataclass(frozen=True)
class Decision:
    """What the classifier says of one query.

    Attributes:
        confidences: Of each class, in [0, 1], (n_way,).
        order: Class numbers, best first, (n_way,). Confidences descend along it.
        answer: The best class that is not out-of-scope.
        margin: How far the answer's in-scope score lies above the operating point; its
            confidence is 0.5 at 0.
        scores: What the prototypes said.
    """

    confidences: np.ndarray
    order: np.ndarray
    answer: int
    margin: float
    scores: Scores

    @property
    def is_accepted(self) -> bool:
        """True if the query counts as in scope."""
        return self.margin >= 0


@dataclasses.dataclass(frozen=True)
class PrototypeClassifier:
    """Prototypes with everything needed to turn an embedding into a decision.

    Attributes:
        classes: Class names, ascending, (n_way,).
        keys: Name of the key, such as a retrieval key, of each prototype, (n_prototypes,).
        head: Prototypes and support set.
        confidence_map: From in-scope score to confidence.
        temperature: Divides differences of class scores in sharing out what the best class's
            confidence leaves; lower gives the runner-up less.
        oos_classes: Numbers of the classes that say out-of-scope.
        sources: Number of each of the head's examples as it was given to `fit`, -1 for the name
            of an intent, (n_examples,).
    """

    classes: Tuple[str, ...]
    keys: Tuple[str, ...]
    head: PrototypeHead
    confidence_map: ConfidenceMap
    temperature: float
    oos_classes: Tuple[int, ...]
    sources: np.ndarray

    def __post_init__(self) -> None:
        """Checks that the parts fit together, as damaged files may not."""
        n_way = len(self.classes)
        if (
            {self.head.n_way, len(self.confidence_map.offsets)} != {n_way}
            or len(self.keys) != len(self.head.class_of)
            or len(self.sources) != len(self.head.examples)
            or not set(self.oos_classes) < set(range(n_way))
            or self.temperature <= 0
        ):
            raise ConfigError(
                f"prototypes do not fit together: {n_way} classes, {self.head.n_way} in the head, "
                f"out-of-scope classes {self.oos_classes}, temperature {self.temperature}"
            )

    @classmethod
    def fit(
        cls,
        embeddings: np.ndarray,
        labels: Sequence[str],
        keys: Optional[Sequence[str]] = None,
        *,
        names: Optional[Mapping[str, np.ndarray]] = None,
        oos_labels: Sequence[str] = (),
        target_in_scope_rejection: float = DEFAULT_TARGET_REJECTION,
    ) -> PrototypeClassifier:
        """Fits prototypes and confidences to a support set. Deterministic.

        Args:
            embeddings: Support set, (n_examples, d), any scale.
            labels: Class of each example, (n_examples,), at least one class.
            keys: Finer name of each example, (n_examples,), at least one prototype each; every
                key belongs to one class. None takes the labels.
            names: Embedding, (d,), of a key's readable name: one more example.
            oos_labels: Classes that mean out-of-scope; those that do not occur are ignored.
            target_in_scope_rejection: Share of the rightly answered in-scope messages that may
                get a confidence below 0.5, in [0, 1); 0 rejects as few as it can.

        Raises:
            ConfigError: If the support set is empty, its parts do not fit or only out-of-scope
                classes are there.
        """
        from rasa_tokprune.fewshot.fitting import fit_classifier

        support = SupportSet.of(embeddings, labels, keys, names)
        return fit_classifier(
            support, oos_labels=oos_labels, target_in_scope_rejection=target_in_scope_rejection
        ).classifier

    @property
    def prototypes(self) -> np.ndarray:
        """Unit-length means of the support set, (n_prototypes, d) float32."""
        return self.head.prototypes

    def decide(self, embedding: np.ndarray) -> Decision:
        """Returns the decision for one query, (d,), any scale."""
        query = np.asarray(embedding, dtype=np.float32)
        query = query / (math.sqrt(float(query @ query)) or 1.0)
        scores = self.head.score(query)
        answer, in_scope = best_in_scope(scores.class_scores, scores.in_scope, self.oos_classes)
        margin = self.confidence_map.margin(in_scope, answer)
        order = np.argsort(-scores.class_scores, kind="stable")
        if order[0] in self.oos_classes:  # taken for out-of-scope, whatever it looks like
            margin = min(margin, -1e-6)
        return Decision(
            self._confidences(scores.class_scores, order, answer, margin),
            order,
            answer,
            margin,
            scores,
        )

    def _confidences(
        self, class_scores: np.ndarray, order: np.ndarray, answer: int, margin: float
    ) -> np.ndarray:
        """Gives the best class its calibrated confidence, the others shares of the rest."""
        confidence = self.confidence_map.confidence(margin)
        best = order[0]
        top = confidence if best == answer else 1.0 - confidence
        ratios = np.exp((class_scores - class_scores[best]).astype(np.float64) / self.temperature)
        others = ratios.sum() - 1.0
        scale = min(top, (1.0 - top) / others) if others > 0 else 0.0
        confidences = ratios * scale
        confidences[best] = top
        return np.clip(confidences, 0.0, 1.0)

    def similarity(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns each query's cosine to each class's nearest mean prototype, (n, n_way)."""
        cosines = normalize_rows(np.asarray(embeddings)) @ self.head.prototypes.T
        nearest = np.full((len(cosines), len(self.classes)), -np.inf, dtype=cosines.dtype)
        np.maximum.at(nearest.T, self.head.class_of, cosines.T)
        return nearest

    def predict_proba(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns confidences in [0, 1], (n_queries, n_way), columns as in `classes`.

        The largest of a row is the calibrated probability that this class is right; a row may
        sum to less than 1, the rest is "none of them".
        """
        return np.stack([self.decide(embedding).confidences for embedding in embeddings])

    def predict(self, embeddings: np.ndarray) -> List[str]:
        """Returns the best class of each query."""
        return [self.classes[self.decide(embedding).order[0]] for embedding in embeddings]

    def rank(self, embedding: np.ndarray) -> List[Tuple[str, float]]:
        """Returns all classes of one query, (d,), with confidence, best first."""
        decision = self.decide(embedding)
        return [(self.classes[each], float(decision.confidences[each])) for each in decision.order]


def best_in_scope(
    class_scores: np.ndarray, in_scope: np.ndarray, oos_classes: Sequence[int]
) -> Tuple[int, float]:
    """Returns the best class that is not out-of-scope, and its in-scope score.

    An out-of-scope class that comes near takes from the score: negative evidence.

    Args:
        class_scores: (n_way,).
        in_scope: In-scope score of each class, NaN where not looked at, (n_way,).
        oos_classes: Numbers of the out-of-scope classes.
    """
    if not oos_classes:
        answer = int(class_scores.argmax())
        return answer, float(in_scope[answer])
    oos = list(oos_classes)
    allowed = class_scores.copy()
    allowed[oos] = -np.inf
    answer = int(allowed.argmax())
    # Nothing was seen of it up close: less than anything that was.
    score = in_scope[answer] if not np.isnan(in_scope[answer]) else np.nanmin(in_scope)
    excess = class_scores[oos].max() - class_scores[answer]
    return answer, float(score - _OOS_WEIGHT * np.logaddexp(0.0, excess + _OOS_MARGIN))


__all__ = ["OPERATING_CONFIDENCE", "Decision", "PrototypeClassifier", "best_in_scope"]
