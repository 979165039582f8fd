"""The few-shot classifier: embeddings in, classes with similarity and confidence out."""

from __future__ import annotations

import dataclasses
import math
from typing import Iterator, List, Mapping, Optional, Sequence, Tuple, Union

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.calibration.calibrate import Calibration, calibrate
from rasa_tokprune.fewshot.calibration.confidence import DEFAULT_TARGET_REJECTION, ConfidenceMap
from rasa_tokprune.fewshot.calibration.held_out import HeldOut
from rasa_tokprune.fewshot.decision import Decision, decisions_of
from rasa_tokprune.fewshot.head import PrototypeHead
from rasa_tokprune.fewshot.lexical.view import LexicalView
from rasa_tokprune.fewshot.messages import Messages, parts
from rasa_tokprune.fewshot.prototypes import normalize_rows, unit_rows
from rasa_tokprune.fewshot.support import SupportSet
from rasa_tokprune.fewshot.views import Views, fit_views


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
        lexical: What the n-grams of a text say; None goes by embeddings alone.
    """

    classes: Tuple[str, ...]
    keys: Tuple[str, ...]
    head: PrototypeHead
    confidence_map: ConfidenceMap
    temperature: float
    oos_classes: Tuple[int, ...]
    sources: np.ndarray
    lexical: Optional[LexicalView] = None

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
            or (self.lexical is not None and self.lexical.weights.shape[1] != n_way)
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
        texts: Optional[Sequence[str]] = None,
        readable: Optional[np.ndarray] = None,
        content_free: Optional[np.ndarray] = None,
        lexical_weight: Optional[float] = None,
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
            texts: Text of each example, for the lexical view; None goes by embeddings alone.
            readable: Share of each text that the encoder can read, in [0, 1]; None: all of it.
            content_free: Embeddings of `CONTENT_FREE_TEXTS`, (n_content_free, d); None looks at
                none.
            lexical_weight: Weight of the lexical view; 0 goes without it, and without the last two.
                None: the default.
            oos_labels: Classes that mean out-of-scope; those that do not occur are ignored.
            target_in_scope_rejection: Share of the rightly answered in-scope messages that may
                get a confidence below 0.5, in [0, 1); 0 rejects as few as it can.

        Raises:
            ConfigError: If the support set is empty, its parts do not fit or only out-of-scope
                classes are there.
        """
        return fit_classifier(
            SupportSet.of(embeddings, labels, keys, names, texts, readable, content_free),
            oos_labels=oos_labels,
            target_in_scope_rejection=target_in_scope_rejection,
            lexical_weight=lexical_weight,
        ).classifier

    @property
    def prototypes(self) -> np.ndarray:
        """Unit-length means of the support set, (n_prototypes, d) float32."""
        return self.head.prototypes

    def decide(
        self, embedding: np.ndarray, text: Optional[str] = None, readable: float = 1.0
    ) -> Decision:
        """Returns the decision for one query.

        Args:
            embedding: (d,), any scale.
            text: What was embedded; None leaves the lexical view out.
            readable: Share of the text that the encoder can read, in [0, 1].
        """
        texts = None if text is None else [text]
        asked = Messages(np.asarray(embedding)[None], texts, np.array([readable]))
        return next(self._decide(asked))

    def decisions(self, queries: Union[np.ndarray, Messages]) -> Iterator[Decision]:
        """Yields the decision for each query: that of `decide`, bit for bit, in less time.

        Args:
            queries: With their texts for both views, or embeddings alone, (n_queries, d).
        """
        queries = queries if isinstance(queries, Messages) else Messages(queries)
        for part in parts(len(queries), len(self.head.class_of)):
            yield from self._decide(queries.take(part))

    def _decide(self, asked: Messages) -> Iterator[Decision]:
        """Yields the decisions for a few queries, at least one."""
        views = Views(self.head, self.lexical)
        vectors = views.vectors(asked.texts)
        return decisions_of(
            views.score(unit_rows(asked.embeddings), vectors, asked.shares),
            views.remarks(asked, vectors),
            self.confidence_map,
            self.temperature,
            self.oos_classes,
        )

    def similarity(self, embeddings: np.ndarray) -> np.ndarray:
        """Returns each query's cosine to each class's nearest mean prototype, (n, n_way)."""
        cosines = normalize_rows(np.asarray(embeddings)) @ self.head.prototypes.T
        nearest = np.full((len(cosines), len(self.classes)), -np.inf, dtype=cosines.dtype)
        np.maximum.at(nearest.T, self.head.class_of, cosines.T)
        return nearest

    def predict_proba(self, queries: Union[np.ndarray, Messages]) -> np.ndarray:
        """Returns confidences in [0, 1], (n_queries, n_way), columns as in `classes`.

        The largest of a row is the calibrated probability that this class is right; a row may
        sum to less than 1, the rest is "none of them".

        Args:
            queries: With their texts for both views, or embeddings alone, (n_queries, d).
        """
        confidences = [each.confidences for each in self.decisions(queries)]
        return np.array(confidences).reshape(-1, len(self.classes))

    def predict(self, queries: Union[np.ndarray, Messages]) -> List[str]:
        """Returns the best class of each query; see `predict_proba`."""
        return [self.classes[each.order[0]] for each in self.decisions(queries)]

    def rank(
        self,
        embedding: np.ndarray,
        length: Optional[int] = None,
        *,
        text: Optional[str] = None,
        readable: float = 1.0,
    ) -> List[Tuple[str, float]]:
        """Returns classes of one query, with confidence, best first.

        Args:
            embedding: (d,), any scale.
            length: How many; None returns all.
            text: See `decide`.
            readable: See `decide`.
        """
        return self.decide(embedding, text, readable).ranking(self.classes, length)

    def rankings(
        self, messages: Messages, length: Optional[int] = None
    ) -> Iterator[List[Tuple[str, float]]]:
        """Yields the ranking of each message; see `rank`."""
        return (each.ranking(self.classes, length) for each in self.decisions(messages))


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
    lexical_weight: Optional[float] = None,
    show_progress: bool = False,
    with_paraphrases: Optional[HeldOut] = None,
) -> Fitted:
    """Fits prototypes and confidences; see `PrototypeClassifier.fit`.

    Args:
        support: The support set.
        oos_labels: Classes that mean out-of-scope.
        target_in_scope_rejection: Share of right answers that may be rejected, in [0, 1).
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.
        show_progress: Whether to show a progress bar.
        with_paraphrases: See `calibrate`.
    """
    if not 0 <= target_in_scope_rejection < 1:
        raise ConfigError(
            f"target_in_scope_rejection must be in [0, 1), got {target_in_scope_rejection}"
        )
    oos = support.oos_numbers(oos_labels)
    calibration = calibrate(
        support, oos, target_in_scope_rejection, lexical_weight, show_progress, with_paraphrases
    )
    views = fit_views(support, lexical_weight)
    classifier = PrototypeClassifier(
        classes=support.classes,
        keys=support.keys,
        head=views.head,
        confidence_map=calibration.confidence_map,
        temperature=calibration.temperature,
        oos_classes=oos,
        sources=support.sources[views.head.rows],
        lexical=views.lexical,
    )
    return Fitted(classifier, calibration)
