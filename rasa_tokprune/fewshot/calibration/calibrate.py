"""Calibrates a classifier on held-out messages, and keeps those for the report."""

from __future__ import annotations

import dataclasses
from typing import Optional, Sequence

import numpy as np
from tqdm import tqdm

from rasa_tokprune.fewshot.answer import best_answer
from rasa_tokprune.fewshot.calibration.confidence import ConfidenceMap, Sample
from rasa_tokprune.fewshot.calibration.held_out import (
    HeldOut,
    assign_folds,
    concatenate,
    hold_out,
    n_folds,
)
from rasa_tokprune.fewshot.calibration.temperature import fit_temperature
from rasa_tokprune.fewshot.support import SupportSet

# Ways to hold out: message by message, and with its paraphrases. Users write unlike a bot's author;
# held out with what resembles them, the author's messages come nearer to that, so that they alone
# decide the operating point. Both chosen by benchmarks.decisions.choices.
PARAPHRASE_SIMILARITIES = (None, 0.7)
_POINT_FROM_LAST_WAY = True


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What messages that the prototypes were not fitted on say of confidences.

    Attributes:
        confidence_map: From in-scope score to confidence.
        temperature: See `PrototypeClassifier`.
        lexical_weight: As it was given, for further fits.
        held_out: Scores of every message held out by itself.
        sample: In-scope messages of those.
        oos_sample: Held-out examples of out-of-scope classes.
    """

    confidence_map: ConfidenceMap
    temperature: float
    lexical_weight: Optional[float]
    held_out: HeldOut
    sample: Sample
    oos_sample: Sample


def calibrate(
    support: SupportSet,
    oos_classes: Sequence[int],
    target_in_scope_rejection: float,
    lexical_weight: Optional[float] = None,
    show_progress: bool = False,
) -> Calibration:
    """Holds every message out, in each way, and fits confidences to what it is then taken for.

    Args:
        support: The support set.
        oos_classes: Numbers of the classes that mean out-of-scope.
        target_in_scope_rejection: Share of right answers that may be rejected, in [0, 1).
        lexical_weight: See `hold_out`.
        show_progress: Whether to show a progress bar.
    """
    folds = n_folds(support)
    progress = tqdm(PARAPHRASE_SIMILARITIES, desc="Calibrating", disable=not show_progress)
    ways = [
        hold_out(support, assign_folds(support, folds, each), lexical_weight) for each in progress
    ]
    n_way = len(support.classes)
    every_way = concatenate(ways, n_way)
    decides = ways[-1] if _POINT_FROM_LAST_WAY else every_way
    own, other = (_sample(ways[0], support, oos_classes, are_oos=each) for each in (False, True))
    return Calibration(
        confidence_map=ConfidenceMap.fit(
            _sample(every_way, support, oos_classes, are_oos=False),
            n_way,
            target_in_scope_rejection,
            _sample(decides, support, oos_classes, are_oos=False),
        ),
        temperature=fit_temperature(every_way.class_scores, support.targets[every_way.rows]),
        lexical_weight=lexical_weight,
        held_out=ways[0],
        sample=own,
        oos_sample=other,
    )


def _sample(held_out: HeldOut, support: SupportSet, oos: Sequence[int], *, are_oos: bool) -> Sample:
    """Returns the held-out messages of in-scope classes, or those of out-of-scope ones."""
    targets = support.targets[held_out.rows]
    chosen = np.flatnonzero(np.isin(targets, list(oos)) == are_oos)
    answers = [
        best_answer(held_out.class_scores[row], held_out.in_scope[row], oos) for row in chosen
    ]
    return Sample.of(answers, targets[chosen])
