"""Cross-validation on embeddings: the encoder is frozen, so one encoding pass serves all folds."""

from __future__ import annotations

import dataclasses
from typing import List, Optional, Sequence

import numpy as np
from scipy.sparse.csgraph import connected_components

from rasa_tokprune.fewshot.answer import Answer, Scores, best_answer
from rasa_tokprune.fewshot.calibration.confidence import Sample
from rasa_tokprune.fewshot.support import SupportSet
from rasa_tokprune.fewshot.views import Views, fit_views

_N_FOLDS = 5
# Fits of more examples times prototypes than this get fewer folds.
_MANY, _VERY_MANY = 1e6, 1e7
# Messages of one fold, or of one group of intents, that are asked, the same share of every class:
# the scores of 100,000 messages for 2,000 classes would take gigabytes and tell no more.
_MOST_ASKED = 10_000


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """Scores of messages by prototypes that were fitted without them.

    Attributes:
        rows: Rows of the support set, (n,).
        class_scores: (n, n_way); see `Scores`.
        in_scope: In-scope score of each class, NaN where not looked at, (n, n_way).
    """

    rows: np.ndarray
    class_scores: np.ndarray
    in_scope: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, scores: Sequence[Scores]) -> HeldOut:
        """Returns the scores of at least one message, one for each of the rows."""
        class_scores = np.stack([each.class_scores for each in scores])
        return cls(rows, class_scores, np.stack([each.in_scope for each in scores]))

    def take(self, chosen: np.ndarray) -> HeldOut:
        """Returns some of them: numbers of rows here, or (n,) bool."""
        return HeldOut(self.rows[chosen], self.class_scores[chosen], self.in_scope[chosen])


def n_folds(support: SupportSet) -> int:
    """Returns the number of folds: 5, fewer where fits take long."""
    size = len(support.embeddings) * len(support.class_of)
    return _N_FOLDS if size <= _MANY else 3 if size <= _VERY_MANY else 2


def assign_folds(
    support: SupportSet, folds: int, max_similarity: Optional[float] = None
) -> np.ndarray:
    """Deals each prototype's messages to folds.

    Args:
        support: The support set.
        folds: Number of folds.
        max_similarity: Messages with a higher cosine go to the same fold, and so do those they
            are linked to. None: every message is dealt by itself.

    Returns:
        Fold of each example, (n_examples,); -1 for those always fitted on: names of intents and
        the only message of a prototype.
    """
    fold_of = np.full(len(support.embeddings), -1)
    for prototype in range(len(support.class_of)):
        members = np.flatnonzero((support.prototype_of == prototype) & ~support.is_name)
        if len(members) > 1:
            groups = _groups(support.embeddings[members], max_similarity)
            fold_of[members] = _deal(groups, folds, first=prototype)
    return fold_of


def hold_out(
    support: SupportSet, fold_of: np.ndarray, lexical_weight: Optional[float] = None
) -> HeldOut:
    """Returns the scores of every message that can be held out, each by the other folds.

    Of a fold with more than 10,000 messages, so many are asked.

    Args:
        support: The support set.
        fold_of: From `assign_folds`.
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.
    """
    parts = [
        _score(
            fit_views(support, lexical_weight, fold_of != fold),
            support,
            _evenly(np.flatnonzero(fold_of == fold)),
        )
        for fold in np.unique(fold_of[fold_of >= 0])
    ]
    return concatenate(parts, len(support.classes))


def leave_intents_out(
    support: SupportSet,
    groups: int,
    oos_classes: Sequence[int],
    lexical_weight: Optional[float] = None,
) -> Sample:
    """Returns the answers to messages whose whole class was left out.

    They stand for out-of-scope messages where a bot has none; being of the bot's own domain they
    are harder than most.

    Args:
        support: The support set.
        groups: Parts that the in-scope classes are left out in; out-of-scope classes stay.
        oos_classes: Numbers of the out-of-scope classes.
        lexical_weight: See `hold_out`.
    """
    answers: List[Answer] = []
    rows: List[int] = []
    in_scope = np.setdiff1d(np.arange(len(support.classes)), list(oos_classes))
    for group in range(groups):
        left_out = np.isin(support.targets, in_scope[group::groups])
        if not left_out.any() or not np.isin(support.targets[~left_out], in_scope).any():
            continue
        views = fit_views(support, lexical_weight, ~left_out)
        present = np.unique(support.targets[~left_out])
        oos = np.flatnonzero(np.isin(present, list(oos_classes))).tolist()
        asked = _evenly(np.flatnonzero(left_out & ~support.is_name))
        for row, scores in zip(asked, views.score_examples(support, asked)):
            answer = best_answer(scores.class_scores, scores.in_scope, oos)
            answers.append(answer._replace(number=int(present[answer.number])))
            rows.append(row)
    return Sample.of(answers, support.targets[rows] if rows else np.array([], dtype=int))


def _evenly(rows: np.ndarray) -> np.ndarray:
    """Returns rows, which are sorted by class; of very many some, at even distances."""
    if len(rows) <= _MOST_ASKED:
        return rows
    return np.asarray(rows[np.linspace(0, len(rows) - 1, _MOST_ASKED).astype(int)])


def _groups(embeddings: np.ndarray, max_similarity: Optional[float]) -> np.ndarray:
    if max_similarity is None:
        return np.arange(len(embeddings))
    _, groups = connected_components(embeddings @ embeddings.T > max_similarity)
    # A prototype of nothing but paraphrases is dealt one by one.
    return groups if groups.max() > 0 else np.arange(len(embeddings))


def _deal(groups: np.ndarray, folds: int, first: int) -> np.ndarray:
    """Deals groups, largest first, to the fold that has least; ties turn with `first`."""
    sizes = np.bincount(groups)
    load = np.zeros(folds)
    turn = (np.arange(folds) - first) % folds
    fold_of_group = np.zeros(len(sizes), dtype=int)
    for group in np.argsort(-sizes, kind="stable"):
        fold_of_group[group] = np.lexsort((turn, load))[0]
        load[fold_of_group[group]] += sizes[group]
    return fold_of_group[groups]


def _score(views: Views, support: SupportSet, rows: np.ndarray) -> HeldOut:
    return HeldOut.of(rows, list(views.score_examples(support, rows)))


def concatenate(parts: Sequence[HeldOut], n_way: int) -> HeldOut:
    """Returns all held-out messages of several parts."""
    if not parts:
        empty = np.zeros((0, n_way))
        return HeldOut(np.array([], dtype=int), empty, empty)
    return HeldOut(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in dataclasses.fields(HeldOut)
        )
    )
