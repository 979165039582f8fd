"""The top intents of messages, without confidences: what a plan search compares."""

from __future__ import annotations

import dataclasses
from typing import List, Mapping, Optional, Sequence, Tuple

import numpy as np

from rasa_tokprune.fewshot.messages import Messages
from rasa_tokprune.fewshot.prototypes import normalize_rows
from rasa_tokprune.fewshot.support import SupportSet
from rasa_tokprune.fewshot.views import Views, fit_views


def fit_head(
    messages: Messages,
    labels: Sequence[str],
    keys: Optional[Sequence[str]] = None,
    names: Optional[Mapping[str, np.ndarray]] = None,
    lexical_weight: Optional[float] = None,
) -> Tuple[Views, Tuple[str, ...]]:
    """Returns both views of a support set, without calibration, and its classes.

    Args:
        messages: Support set.
        labels: Class of each example.
        keys: Finer name of each; see `PrototypeClassifier.fit`.
        names: Embedding of a key's readable name; those of other keys are left out.
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.
    """
    present = set(labels if keys is None else keys)
    known = {key: vector for key, vector in (names or {}).items() if key in present}
    support = SupportSet.of(
        messages.embeddings, labels, keys, known, messages.texts, messages.readable
    )
    return fit_views(support, lexical_weight), support.classes


def answers_of(views: Views, classes: Sequence[str], messages: Messages) -> List[Optional[str]]:
    """Returns the class of each message; None of one without content."""
    unit = normalize_rows(messages.embeddings).astype(np.float32)
    has_content = unit.any(axis=1).tolist()
    scores = views.score_messages(dataclasses.replace(messages, embeddings=unit))
    best = (classes[int(each.class_scores.argmax())] for each in scores)
    return [name if has else None for name, has in zip(best, has_content)]
