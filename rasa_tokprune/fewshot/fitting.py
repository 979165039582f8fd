"""Fits a classifier, its confidences on held-out messages, and keeps those for the report."""

from __future__ import annotations

import dataclasses
from typing import List, Sequence

import numpy as np
from tqdm import tqdm

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.answer import best_answer
from rasa_tokprune.fewshot.classifier import PrototypeClassifier
from rasa_tokprune.fewshot.confidence import DEFAULT_TARGET_REJECTION, ConfidenceMap, Sample
from rasa_tokprune.fewshot.head import PrototypeHead
from rasa_tokprune.fewshot.held_out import HeldOut, hold_out, n_folds
from rasa_tokprune.fewshot.support import SupportSet
from rasa_tokprune.fewshot.temperature import fit_temperature

# Ways to hold out: message by message, then with ever looser paraphrases kept together. Users
# write unlike a bot's author; held out with what resembles them, the author's messages come
# nearer to that. The last decides the operating point.
PARAPHRASE_SIMILARITIES = (None, 0.85, 0.7)


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A classifier and what it was calibrated on.

    Attributes:
        classifier: Ready to decide.
        held_out: Scores of every message held out by itself.
        samples: Held-out in-scope messages, one for each way to hold out.
        oos_sample: Held-out examples of out-of-scope classes.
    """

    classifier: PrototypeClassifier
    held_out: HeldOut
    samples: List[Sample]
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
    similarities = PARAPHRASE_SIMILARITIES if folds > 2 else PARAPHRASE_SIMILARITIES[::2]
    progress = tqdm(similarities, desc="Calibrating", disable=not show_progress)
    ways = [hold_out(support, folds, similarity) for similarity in progress]
    samples = [_sample(way, support, oos, are_oos=False) for way in ways]
    n_way = len(support.classes)
    head = PrototypeHead.fit(support.embeddings, support.prototype_of, support.class_of)
    classifier = PrototypeClassifier(
        classes=support.classes,
        keys=support.keys,
        head=head,
        confidence_map=ConfidenceMap.fit(samples, n_way, target_in_scope_rejection),
        temperature=fit_temperature(ways[0].class_scores, support.targets[ways[0].rows]),
        oos_classes=oos,
        sources=support.sources[head.rows],
    )
    return Fitted(classifier, ways[0], samples, _sample(ways[0], support, oos, are_oos=True))


def _sample(held_out: HeldOut, support: SupportSet, oos: Sequence[int], *, are_oos: bool) -> Sample:
    """Returns the held-out messages of in-scope classes, or those of out-of-scope ones."""
    targets = support.targets[held_out.rows]
    chosen = np.flatnonzero(np.isin(targets, list(oos)) == are_oos)
    answers = [
        best_answer(held_out.class_scores[row], held_out.in_scope[row], oos) for row in chosen
    ]
    return Sample.of(answers, targets[chosen])
