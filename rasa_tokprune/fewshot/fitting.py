"""Fits a classifier, its confidences on held-out messages, and keeps those for the report."""

from __future__ import annotations

import dataclasses
from typing import Sequence

import numpy as np
from tqdm import tqdm

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.answer import best_answer
from rasa_tokprune.fewshot.classifier import PrototypeClassifier
from rasa_tokprune.fewshot.confidence import DEFAULT_TARGET_REJECTION, ConfidenceMap, Sample
from rasa_tokprune.fewshot.head import PrototypeHead
from rasa_tokprune.fewshot.held_out import HeldOut, assign_folds, concatenate, hold_out, n_folds
from rasa_tokprune.fewshot.support import SupportSet
from rasa_tokprune.fewshot.temperature import fit_temperature

# Ways to hold out: message by message, and with its paraphrases. Users write unlike a bot's author;
# held out with what resembles them, the author's messages come nearer to that, so that they alone
# decide the operating point. Both chosen by rasa_tokprune.evaluation.choices.
PARAPHRASE_SIMILARITIES = (None, 0.7)
_POINT_FROM_LAST_WAY = True


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A classifier and what it was calibrated on.

    Attributes:
        classifier: Ready to decide.
        held_out: Scores of every message held out by itself.
        sample: In-scope messages of those.
        oos_sample: Held-out examples of out-of-scope classes.
    """

    classifier: PrototypeClassifier
    held_out: HeldOut
    sample: Sample
    oos_sample: Sample


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
    folds = n_folds(support)
    progress = tqdm(PARAPHRASE_SIMILARITIES, desc="Calibrating", disable=not show_progress)
    ways = [hold_out(support, assign_folds(support, folds, each)) for each in progress]
    every_way = concatenate(ways, len(support.classes))
    n_way = len(support.classes)
    head = PrototypeHead.fit(support.embeddings, support.prototype_of, support.class_of)
    classifier = PrototypeClassifier(
        classes=support.classes,
        keys=support.keys,
        head=head,
        confidence_map=ConfidenceMap.fit(
            _sample(every_way, support, oos, are_oos=False),
            n_way,
            target_in_scope_rejection,
            _sample(ways[-1], support, oos, are_oos=False) if _POINT_FROM_LAST_WAY else None,
        ),
        temperature=fit_temperature(every_way.class_scores, support.targets[every_way.rows]),
        oos_classes=oos,
        sources=support.sources[head.rows],
    )
    own, other = (_sample(ways[0], support, oos, are_oos=is_oos) for is_oos in (False, True))
    return Fitted(classifier, ways[0], own, other)


def _sample(held_out: HeldOut, support: SupportSet, oos: Sequence[int], *, are_oos: bool) -> Sample:
    """Returns the held-out messages of in-scope classes, or those of out-of-scope ones."""
    targets = support.targets[held_out.rows]
    chosen = np.flatnonzero(np.isin(targets, list(oos)) == are_oos)
    answers = [
        best_answer(held_out.class_scores[row], held_out.in_scope[row], oos) for row in chosen
    ]
    return Sample.of(answers, targets[chosen])
