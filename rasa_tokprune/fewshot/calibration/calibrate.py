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
    with_paraphrases: Optional[HeldOut] = None,
) -> Calibration:
    """Holds every message out, in each way, and fits confidences to what it is then taken for.

    Args:
        support: The support set.
        oos_classes: Numbers of the classes that mean out-of-scope.
        target_in_scope_rejection: Share of right answers that may be rejected, in [0, 1).
        lexical_weight: See `hold_out`.
        show_progress: Whether to show a progress bar.
        with_paraphrases: From `hold_out_paraphrases`; None: made here.
    """
    known = {} if with_paraphrases is None else {PARAPHRASE_SIMILARITIES[-1]: with_paraphrases}
    progress = tqdm(PARAPHRASE_SIMILARITIES, desc="Calibrating", disable=not show_progress)
    ways = [known.get(each) or _hold_out(support, each, lexical_weight) for each in progress]
    every_way = concatenate(ways, len(support.classes))
    own, other = (_sample(ways[0], support, oos_classes, are_oos=each) for each in (False, True))
    return Calibration(
        confidence_map=fit_confidences(ways, support, oos_classes, target_in_scope_rejection),
        temperature=fit_temperature(every_way.class_scores, support.targets[every_way.rows]),
        lexical_weight=lexical_weight,
        held_out=ways[0],
        sample=own,
        oos_sample=other,
    )


def hold_out_paraphrases(support: SupportSet, lexical_weight: Optional[float] = None) -> HeldOut:
    """Returns the scores of messages held out with what resembles them; see `hold_out`."""
    return _hold_out(support, PARAPHRASE_SIMILARITIES[-1], lexical_weight)


def fit_confidences(
    ways: Sequence[HeldOut],
    support: SupportSet,
    oos_classes: Sequence[int],
    target_in_scope_rejection: float,
) -> ConfidenceMap:
    """Fits a confidence map to what held-out messages are taken for.

    Args:
        ways: The messages as each of `PARAPHRASE_SIMILARITIES` holds them out; may be empty of
            messages.
        support: The support set.
        oos_classes: See `calibrate`.
        target_in_scope_rejection: See `calibrate`.
    """
    every_way = concatenate(ways, len(support.classes))
    decides = ways[-1] if _POINT_FROM_LAST_WAY else every_way
    return ConfidenceMap.fit(
        _sample(every_way, support, oos_classes, are_oos=False),
        len(support.classes),
        target_in_scope_rejection,
        _sample(decides, support, oos_classes, are_oos=False),
    )


def _hold_out(
    support: SupportSet, max_similarity: Optional[float], lexical_weight: Optional[float]
) -> HeldOut:
    folds = assign_folds(support, n_folds(support), max_similarity)
    return hold_out(support, folds, lexical_weight)


def _sample(held_out: HeldOut, support: SupportSet, oos: Sequence[int], *, are_oos: bool) -> Sample:
    """Returns the held-out messages of in-scope classes, or those of out-of-scope ones."""
    targets = support.targets[held_out.rows]
    chosen = np.flatnonzero(np.isin(targets, list(oos)) == are_oos)
    answers = [
        best_answer(held_out.class_scores[row], held_out.in_scope[row], oos) for row in chosen
    ]
    return Sample.of(answers, targets[chosen])
