"""The few-shot head: an embedding in, a score for every class and one for being in scope out."""

from __future__ import annotations

import dataclasses
from typing import Dict, Optional, Tuple

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.lexical.view import Evidence
from rasa_tokprune.fewshot.prototypes import (
    START_SCALE,
    advantage_of,
    mean_prototypes,
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
class Scores:
    """What the head says of one query.

    Attributes:
        class_scores: (n_way,), higher is better.
        in_scope: In-scope score of each class, should it be the answer; NaN for classes that
            were not looked at closely, (n_way,). Higher = in scope.
        nearest: Number of each class's nearest example; -1 where not looked at, (n_way,).
        similarity: Cosine to that example; NaN where not looked at, (n_way,).
    """

    class_scores: np.ndarray
    in_scope: np.ndarray
    nearest: np.ndarray
    similarity: np.ndarray


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

    def score(self, query: np.ndarray, lexical: Optional[Evidence] = None) -> Scores:
        """Scores one query.

        Class score: logit + 2 * (cosine to the class's nearest example - advantage). In-scope
        score of a class: logit + 2 * (cosine to its mean + cosine to its nearest example + how
        much nearer that is than the example's own nearest neighbour; the last is the local density
        ratio of Breunig et al., "LOF" (2000), as a difference). The lexical view's logits are
        added to the embedding's, in both scores. What is nearer to a message without content than
        to the nearest example of the class loses in-scope score.

        Args:
            query: Unit-length embedding, (d,) float32.
            lexical: What the lexical view says of the query.
        """
        logits = self.weights @ query + self.biases
        nearest_weight, cosine_weight = _NEAREST_WEIGHT, _COSINE_WEIGHT
        if lexical is not None:
            logits = lexical.dense_weight * logits + lexical.logits[self.class_of]
            nearest_weight *= lexical.dense_weight
            cosine_weight *= lexical.dense_weight
        n_near = min(_N_SHORTLIST, len(logits))
        shortlist = np.argpartition(logits, len(logits) - n_near)[len(logits) - n_near :]
        cosines, found = self._nearest(query, shortlist)
        nearness = cosines - self.advantage[shortlist]
        scores = logits + nearest_weight * nearness.min() - _BEHIND
        scores[shortlist] = logits[shortlist] + nearest_weight * nearness
        relative = 2 * cosines - self.tightness[found]
        in_scope = logits[shortlist] + cosine_weight * (
            relative + self.prototypes[shortlist] @ query
        )
        if len(self.content_free):
            excess = float((self.content_free @ query).max()) - cosines
            in_scope -= cosine_weight / _COSINE_WEIGHT * _CONTENT_FREE_WEIGHT * excess.clip(0.0)
        return self._by_class(scores, shortlist, in_scope, found, cosines)

    def _nearest(self, query: np.ndarray, shortlist: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        """Returns cosine and number of the nearest example of each prototype."""
        cosines, found = np.empty(len(shortlist), np.float32), np.empty(len(shortlist), int)
        for place, prototype in enumerate(shortlist):
            start, end = self.starts[prototype], self.starts[prototype + 1]
            own = self.examples[start:end] @ query
            best = own.argmax()
            cosines[place], found[place] = own[best], start + best
        return cosines, found

    def _by_class(
        self,
        scores: np.ndarray,
        shortlist: np.ndarray,
        in_scope: np.ndarray,
        found: np.ndarray,
        cosines: np.ndarray,
    ) -> Scores:
        """Lets each class speak through its best prototype."""
        n_way = self.n_way
        class_scores = np.full(n_way, -np.inf, dtype=np.float32)
        np.maximum.at(class_scores, self.class_of, scores)
        by_class = Scores(
            class_scores, np.full(n_way, np.nan), np.full(n_way, -1), np.full(n_way, np.nan)
        )
        # Ascending, so that a class's best prototype writes last.
        for place in np.argsort(scores[shortlist], kind="stable"):
            target = self.class_of[shortlist[place]]
            by_class.in_scope[target] = in_scope[place]
            by_class.nearest[target] = found[place]
            by_class.similarity[target] = cosines[place]
        return by_class

    def arrays(self) -> Dict[str, np.ndarray]:
        """Returns everything there is to store, by name."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
