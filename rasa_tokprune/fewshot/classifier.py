"""The few-shot classifier: embeddings in, classes with similarity and confidence out."""

from __future__ import annotations

import dataclasses
import math
from typing import List, Mapping, Optional, Sequence, Tuple

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.answer import Answer, best_answer
from rasa_tokprune.fewshot.calibration.calibrate import Calibration, calibrate
from rasa_tokprune.fewshot.calibration.confidence import DEFAULT_TARGET_REJECTION, ConfidenceMap
from rasa_tokprune.fewshot.head import PrototypeHead, Scores
from rasa_tokprune.fewshot.prototypes import normalize_rows
from rasa_tokprune.fewshot.support import SupportSet

# Not chosen by measuring, but so that intents which share an example get one half each. Sharp: only
# what is nearly a tie is held down to 0.5.
_TIE_SHARPNESS = 10.0


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
            or not all(type(number) is int for number in self.oos_classes)
            or len(set(self.classes)) != n_way
            or not all(isinstance(name, str) for name in (*self.classes, *self.keys))
            or not 0 < self.temperature < math.inf
            or not np.issubdtype(self.sources.dtype, np.integer)
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
        answer = best_answer(scores.class_scores, scores.in_scope, self.oos_classes)
        margin = self.confidence_map.margin(answer)
        order = np.argsort(-scores.class_scores, kind="stable")
        if self.oos_classes:  # which come after what they tie with
            is_oos = np.isin(np.arange(len(order)), self.oos_classes)
            order = np.lexsort((is_oos, -scores.class_scores))
        confidences = self._confidences(scores.class_scores, order, answer, margin)
        return Decision(confidences, order, answer.number, margin, scores)

    def _confidences(
        self, class_scores: np.ndarray, order: np.ndarray, answer: Answer, margin: float
    ) -> np.ndarray:
        """Gives the best class its calibrated confidence, the others shares of the rest."""
        best = order[0]
        confidence = self.confidence_map.confidence(margin)
        if answer.is_oos:
            top = 1.0 - confidence
        else:
            top = min(confidence, self._tie_limit(class_scores, order))
        ratios = np.exp((class_scores - class_scores[best]).astype(np.float64) / self.temperature)
        others = ratios.sum() - 1.0
        scale = min(top, (1.0 - top) / others) if others > 0 else 0.0
        confidences = ratios * scale
        confidences[best] = top
        return np.clip(confidences, 0.0, 1.0)

    def _tie_limit(self, class_scores: np.ndarray, order: np.ndarray) -> float:
        """Returns 0.5 where two classes tie, soon 1.0 where they do not."""
        if len(order) < 2:
            return 1.0
        gap = float(class_scores[order[0]] - class_scores[order[1]])
        return 1.0 / (1.0 + math.exp(-min(_TIE_SHARPNESS * gap / self.temperature, 700.0)))

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
        confidences = np.zeros((len(embeddings), len(self.classes)))
        for row, embedding in enumerate(embeddings):
            confidences[row] = self.decide(embedding).confidences
        return confidences

    def predict(self, embeddings: np.ndarray) -> List[str]:
        """Returns the best class of each query."""
        return [self.classes[self.decide(embedding).order[0]] for embedding in embeddings]

    def rank(self, embedding: np.ndarray, length: Optional[int] = None) -> List[Tuple[str, float]]:
        """Returns classes of one query, (d,), with confidence, best first.

        Args:
            embedding: (d,), any scale.
            length: How many; None returns all.
        """
        decision = self.decide(embedding)
        best = decision.order[:length]
        return [(self.classes[each], float(decision.confidences[each])) for each in best]


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A classifier and what it was calibrated on."""

    classifier: PrototypeClassifier
    calibration: Calibration


def fit_classifier(
    support: SupportSet,
    *,
    oos_labels: Sequence[str] = (),
    target_in_scope_rejection: float = DEFAULT_TARGET_REJECTION,
    show_progress: bool = False,
) -> Fitted:
    """Fits prototypes and confidences; see `PrototypeClassifier.fit`.

    Args:
        support: The support set.
        oos_labels: Classes that mean out-of-scope.
        target_in_scope_rejection: Share of right answers that may be rejected, in [0, 1).
        show_progress: Whether to show a progress bar.
    """
    if not 0 <= target_in_scope_rejection < 1:
        raise ConfigError(
            f"target_in_scope_rejection must be in [0, 1), got {target_in_scope_rejection}"
        )
    oos = tuple(i for i, name in enumerate(support.classes) if name in set(oos_labels))
    if len(oos) == len(support.classes):
        raise ConfigError(
            f"oos_intents names all classes ({', '.join(support.classes)}); leave out at least "
            f"one, or give examples of another"
        )
    calibration = calibrate(support, oos, target_in_scope_rejection, show_progress)
    head = PrototypeHead.fit(support.embeddings, support.prototype_of, support.class_of)
    classifier = PrototypeClassifier(
        classes=support.classes,
        keys=support.keys,
        head=head,
        confidence_map=calibration.confidence_map,
        temperature=calibration.temperature,
        oos_classes=oos,
        sources=support.sources[head.rows],
    )
    return Fitted(classifier, calibration)
