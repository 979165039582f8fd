"""The few-shot head: an embedding in, a score for every class and one for being in scope out."""

from __future__ import annotations

import dataclasses
import functools
from typing import Dict, Optional, Tuple, Union

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.answer import Scores
from rasa_tokprune.fewshot.lexical.view import Evidence
from rasa_tokprune.fewshot.prototypes import (
    START_SCALE,
    advantage_of,
    mean_prototypes,
    nearest_examples,
    products,
    refine_prototypes,
    spread,
    tightness_of,
)

# Both weights were chosen by benchmarks.decisions.choices; docs/accuracy.md shows how.
# Weight of the cosine to a class's nearest example, added to its logit.
_NEAREST_WEIGHT = 2.0
# Weight of the cosines in the in-scope score, against a logit.
_COSINE_WEIGHT = 2.0
# Classes beyond the best by logit cannot win, not even in a tie; their examples are not looked at.
_N_SHORTLIST = 5
# What a cosine to a message without content, beyond that to the nearest example, takes from the
# in-scope score. Taken against 10 on the small bots of benchmarks.robustness.content_free.
_CONTENT_FREE_WEIGHT = 20.0
_BEHIND = 1e-3


@dataclasses.dataclass(frozen=True)
class PrototypeHead:
    """Prototypes and the support set behind them. Prototypes and examples are sorted by class.

    Attributes:
        class_of: Class number of each prototype, (n_prototypes,) ascending.
        prototypes: Unit-length means, (n_prototypes, d) float32.
        weights: Prototypes refined discriminatively, (n_prototypes, d) float32.
        biases: (n_prototypes,) float32.
        starts: First example of each prototype, and the end, (n_prototypes + 1,).
        examples: Unit-length examples, (n_examples, d) float32, of half precision: the support
            set, but of each prototype 100 at most.
        tightness: Cosine of each example to its nearest neighbour of the same prototype,
            (n_examples,) float32.
        rows: Row of each example in the support set, (n_examples,).
        advantage: Of having very many examples: how much nearer the nearest of them is by that
            alone, (n_prototypes,) float32; zero in ordinary bots.
        content_free: Unit-length embeddings of messages that say nothing, (n_content_free, d)
            float32, of half precision; may be none.
        cosine_weight: Of the cosines in the in-scope score, against a logit; None: today's.
    """

    class_of: np.ndarray
    prototypes: np.ndarray
    weights: np.ndarray
    biases: np.ndarray
    starts: np.ndarray
    examples: np.ndarray
    tightness: np.ndarray
    rows: np.ndarray
    advantage: np.ndarray
    content_free: np.ndarray
    cosine_weight: Optional[float] = None

    def __post_init__(self) -> None:
        """Checks that the parts fit together, as damaged files may not."""
        n_prototypes, n_examples = len(self.class_of), len(self.examples)
        fit = (
            self.prototypes.ndim == 2
            and self.prototypes.shape == self.weights.shape
            and self.examples.shape[1:] == self.prototypes.shape[1:]
            and self.content_free.shape[1:] == self.prototypes.shape[1:]
            and {len(self.prototypes), len(self.biases), len(self.advantage)} == {n_prototypes}
            and len(self.starts) == n_prototypes + 1
            and {len(self.tightness), len(self.rows), int(self.starts[-1])} == {n_examples}
            and set(self.class_of.tolist()) == set(range(self.n_way))
            and bool((np.diff(self.class_of) >= 0).all() and (np.diff(self.starts) > 0).all())
            and self.starts[0] == 0
            and all(np.isfinite(array).all() for array in self.arrays().values())
            and all(
                np.issubdtype(array.dtype, np.integer)
                for array in (self.class_of, self.starts, self.rows)
            )
        )
        if not fit:
            raise ConfigError(
                f"prototypes do not fit together: {n_prototypes} of shape "
                f"{self.prototypes.shape}, {self.weights.shape}, {n_examples} examples of shape "
                f"{self.examples.shape}"
            )

    @property
    def n_way(self) -> int:
        """Number of classes."""
        return int(self.class_of[-1]) + 1

    @classmethod
    def fit(
        cls,
        embeddings: np.ndarray,
        prototype_of: np.ndarray,
        class_of: np.ndarray,
        content_free: Optional[np.ndarray] = None,
    ) -> PrototypeHead:
        """Fits prototypes to a support set. Deterministic.

        Args:
            embeddings: Unit-length support set, (n_examples, d).
            prototype_of: Prototype number of each example, (n_examples,) ascending, each of
                0..n_prototypes-1 at least once.
            class_of: Class number of each prototype, (n_prototypes,) ascending.
            content_free: Unit-length embeddings of messages that say nothing, (n_content_free, d).
        """
        if content_free is None:
            content_free = embeddings[:0]
        n_prototypes = len(class_of)
        if n_prototypes > 1:
            weights, biases = refine_prototypes(embeddings, prototype_of, n_prototypes)
        else:  # nothing to be told apart from: where the refinement would start
            means = mean_prototypes(embeddings, prototype_of, n_prototypes)
            weights, biases = START_SCALE * means, np.zeros(1)
        rows = spread(np.searchsorted(prototype_of, np.arange(n_prototypes + 1)))
        starts = np.searchsorted(prototype_of[rows], np.arange(n_prototypes + 1))
        examples = embeddings[rows].astype(np.float16).astype(np.float32)
        return cls(
            class_of=class_of,
            prototypes=mean_prototypes(embeddings, prototype_of, n_prototypes).astype(np.float32),
            weights=weights.astype(np.float32),
            biases=biases.astype(np.float32),
            starts=starts,
            examples=examples,
            tightness=tightness_of(examples, starts),
            rows=rows,
            advantage=advantage_of(starts),
            content_free=content_free.astype(np.float16).astype(np.float32),
        )

    def score(self, queries: np.ndarray, lexical: Optional[Evidence] = None) -> Scores:
        """Scores some queries, each as if it were alone, bit for bit.

        Class score: logit + 2 * (cosine to the class's nearest example - advantage). In-scope
        score of a class: logit + 2 * (cosine to its mean + cosine to its nearest example + how
        much nearer that is than the example's own nearest neighbour; the last is the local density
        ratio of Breunig et al., "LOF" (2000), as a difference). The lexical view's logits are
        added to the embedding's, in both scores. What is nearer to a message without content than
        to the nearest example of the class loses in-scope score.

        Args:
            queries: Unit-length embeddings, (n_queries, d) float32. What is held beside the scores
                grows with their number times that of prototypes; `parts` keeps it small.
            lexical: What the lexical view says of each.

        Returns:
            Of each query a row.
        """
        logits = products(self.weights, queries) + self.biases
        dense_weight: Union[float, np.ndarray] = 1.0
        if lexical is not None:
            dense_weight = lexical.dense_weights[:, None]
            logits = dense_weight * logits + self._of_prototypes(lexical.logits)
        nearest_weight = _NEAREST_WEIGHT * dense_weight
        n_far = max(0, logits.shape[1] - _N_SHORTLIST)
        shortlist = logits.argpartition(n_far, axis=1)[:, n_far:]
        near = np.arange(len(queries))[:, None], shortlist
        cosines, found = nearest_examples(
            queries, shortlist, self.examples, self.starts, self._most_examples
        )
        nearness = cosines - self.advantage[shortlist]
        least = np.minimum.reduce(nearness, axis=1, keepdims=True)
        scores = logits + nearest_weight * least - _BEHIND
        scores[near] = (own := logits[near]) + nearest_weight * nearness
        relative = 2 * cosines - self.tightness[found]
        to_means = products(self.prototypes[shortlist], queries)
        cosine_weight = _COSINE_WEIGHT if self.cosine_weight is None else self.cosine_weight
        in_scope = own + cosine_weight * dense_weight * (relative + to_means)
        if len(self.content_free):
            to_nothing = products(self.content_free, queries)
            excess = np.maximum.reduce(to_nothing, axis=1, keepdims=True) - cosines
            in_scope -= _CONTENT_FREE_WEIGHT * dense_weight * np.maximum(excess, 0.0)
        return self._by_class(scores, near, in_scope, found, cosines)

    @functools.cached_property
    def _most_examples(self) -> int:
        return int(np.diff(self.starts).max())

    @functools.cached_property
    def _has_clusters(self) -> bool:
        """Whether a class has several prototypes."""
        return len(self.class_of) > self.n_way

    def _of_prototypes(self, of_classes: np.ndarray) -> np.ndarray:
        return of_classes[:, self.class_of] if self._has_clusters else of_classes

    @functools.cached_property
    def _first_prototypes(self) -> np.ndarray:
        """Number of each class's first prototype, (n_way,)."""
        return np.searchsorted(self.class_of, np.arange(self.n_way))

    def _by_class(
        self,
        scores: np.ndarray,
        near: Tuple[np.ndarray, np.ndarray],
        in_scope: np.ndarray,
        found: np.ndarray,
        cosines: np.ndarray,
    ) -> Scores:
        """Lets each class speak through its best prototype.

        Args:
            scores: Of each prototype, (n_queries, n_prototypes).
            near: Rows and prototypes that were looked at, which the others are of.
            in_scope: (n_queries, n_near), as the next two.
            found: Numbers of the nearest examples.
            cosines: To them.
        """
        class_scores, target = scores, near
        if self._has_clusters:
            class_scores = np.maximum.reduceat(scores, self._first_prototypes, axis=1)
            # Ascending, so that a class's best prototype writes last.
            order = near[0], scores[near].argsort(axis=1, kind="stable")
            target = near[0], self.class_of[near[1][order]]
            in_scope, found, cosines = in_scope[order], found[order], cosines[order]
        shape = class_scores.shape
        by_class = Scores(class_scores, np.empty(shape), np.empty(shape, int), np.empty(shape))
        # Not looked at. `fill` takes a third of the time of `np.full`.
        by_class.in_scope.fill(np.nan)
        by_class.nearest.fill(-1)
        by_class.similarity.fill(np.nan)
        by_class.in_scope[target] = in_scope
        by_class.nearest[target] = found
        by_class.similarity[target] = cosines
        return by_class

    def arrays(self) -> Dict[str, np.ndarray]:
        """Returns everything there is to store, by name."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "cosine_weight"
        }
