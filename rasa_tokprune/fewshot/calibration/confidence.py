"""From an in-scope score to a confidence that means the same in every bot."""

from __future__ import annotations

import dataclasses
import math
from typing import Optional, Sequence, Tuple

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.answer import Answer

# The confidence at the operating point: where FallbackClassifier's threshold belongs. One half
# says "as likely right as wrong", and that is about what it is there by itself on bots drawn from
# the adaptation splits (docs/accuracy.md), so that little has to be bent.
OPERATING_CONFIDENCE = 0.5
DEFAULT_TARGET_REJECTION = 0.05
# Slope and intercept over held-out messages of bots drawn from the adaptation splits of BANKING77,
# CLINC150 and HWU64; what a bot gets that has no messages to hold out. This, the strength and
# _MIN_OWN were fitted or chosen by benchmarks.decisions.choices.
_PRIOR = np.array([0.63, -2.51])
# Weight of the prior; the slope's in units of the score's spread.
_PRIOR_STRENGTH = 1.0
_PRIOR_SPREAD = 3.0
_MIN_SLOPE = 0.05
_BELOW = -1e-3
_LEAST_LOG_ODDS = -700.0  # exp of more overflows
# Held-out right answers that weigh as much as the prior operating point.
_PRIOR_RIGHT = 5.0
# Confidence leaves its bend where this share of the right answers lies below.
_BEND_END = 0.10
# A class has an operating point of its own from this many held-out messages on (each is held out
# twice); so many weigh as much as the common one.
_MIN_OWN = 40


@dataclasses.dataclass(frozen=True)
class Sample:
    """Held-out messages of one bot.

    Attributes:
        in_scope: In-scope score of the answer, (n,).
        is_right: Whether the answer was right, (n,) bool.
        targets: The right class, (n,).
        answers: The best class that is not out-of-scope, (n,).
        is_oos: Whether an out-of-scope class ranks before it, (n,) bool.
    """

    in_scope: np.ndarray
    is_right: np.ndarray
    targets: np.ndarray
    answers: np.ndarray
    is_oos: np.ndarray

    @classmethod
    def of(cls, answers: Sequence[Answer], targets: np.ndarray) -> Sample:
        """Returns the sample of answers to messages of the classes `targets`, (n,)."""
        numbers = np.array([answer.number for answer in answers], dtype=int)
        is_oos = np.array([answer.is_oos for answer in answers], dtype=bool)
        return cls(
            in_scope=np.array([answer.in_scope for answer in answers], dtype=np.float64),
            is_right=(numbers == targets) & ~is_oos,
            targets=targets,
            answers=numbers,
            is_oos=is_oos,
        )

    @property
    def weights(self) -> np.ndarray:
        """One over the root of the class's size: large intents count more, but not in full."""
        return np.asarray(np.bincount(self.targets)[self.targets] ** -0.5)


@dataclasses.dataclass(frozen=True)
class ConfidenceMap:
    """Turns in-scope scores into confidences. Increasing, so the order of scores is kept.

    Attributes:
        slope: Of the log-odds of a right answer; positive.
        intercept: Log-odds at score 0.
        operating_point: Score whose confidence is 0.5.
        bend_end: Score from which confidence is the calibrated probability.
        offsets: What is taken from the score of each class first, (n_way,).
    """

    slope: float
    intercept: float
    operating_point: float
    bend_end: float
    offsets: Tuple[float, ...]

    def __post_init__(self) -> None:
        """Checks that confidences will increase with the score."""
        numbers = (self.slope, self.intercept, self.operating_point, self.bend_end)
        if not (np.isfinite(numbers).all() and np.isfinite(self.offsets).all() and self.slope > 0):
            raise ConfigError(f"the confidence map is damaged: {numbers}")

    @classmethod
    def fit(
        cls,
        sample: Sample,
        n_way: int,
        target_rejection: float,
        point_sample: Optional[Sample] = None,
    ) -> ConfidenceMap:
        """Fits the map to held-out messages of one bot.

        The log-odds of a right answer are linear in the score (Platt, "Probabilistic outputs
        for support vector machines", 1999), with a normal prior for bots of few examples.

        Args:
            sample: May be empty of messages.
            n_way: Number of classes.
            target_rejection: Share of the rightly answered messages that may fall below the
                operating point, in [0, 1).
            point_sample: Messages that decide the operating point; None: `sample`.
        """
        offsets = _own_offsets(sample, n_way)
        slope, intercept = _fit_log_odds(_shifted(sample, offsets))
        decides = _shifted(sample if point_sample is None else point_sample, offsets)
        natural = -intercept / slope
        point = _operating_point(decides, target_rejection, natural)
        bend_end = _operating_point(decides, max(_BEND_END, 2 * target_rejection), natural)
        return cls(slope, intercept, point, max(bend_end, point + 1e-3), tuple(offsets.tolist()))

    def margin(self, answer: Answer) -> float:
        """Returns how far an answer lies above the operating point; below it negative.

        What an out-of-scope class outranks lies below, whatever its score.
        """
        margin = answer.in_scope - self.offsets[answer.number] - self.operating_point
        return min(margin, _BELOW) if answer.is_oos else margin

    def confidences(self, sample: Sample) -> np.ndarray:
        """Returns the confidence of each answer of a sample, (n,)."""
        answers = map(Answer, sample.answers.tolist(), sample.in_scope, sample.is_oos)
        return np.array([self.confidence(self.margin(answer)) for answer in answers])

    def confidence(self, margin: float) -> float:
        """Returns the confidence in [0, 1] for a margin; 0.5 at margin 0.

        Below the operating point the calibrated slope goes on from there, halved; above it a
        straight line in log-odds leads up to the calibrated probability.
        """
        width = self.bend_end - self.operating_point
        top = max(self.slope * self.bend_end + self.intercept, self.slope * width / 2)
        if margin < 0:
            log_odds = self.slope / 2 * margin
        elif margin < width:
            log_odds = top * margin / width
        else:
            log_odds = max(self.slope * (margin + self.operating_point) + self.intercept, top)
        return 1.0 / (1.0 + math.exp(-max(log_odds, _LEAST_LOG_ODDS)))


def _own_offsets(sample: Sample, n_way: int) -> np.ndarray:
    """Returns by how much each class's scores lie above all scores, shrunk to 0."""
    offsets = np.zeros(n_way)
    if not len(sample.in_scope):
        return offsets
    mean = sample.in_scope.mean()
    for target, count in enumerate(np.bincount(sample.targets, minlength=n_way)):
        if count >= _MIN_OWN:
            own = sample.in_scope[sample.targets == target].mean() - mean
            offsets[target] = own * count / (count + _MIN_OWN)
    return offsets


def _shifted(sample: Sample, offsets: np.ndarray) -> Sample:
    return dataclasses.replace(sample, in_scope=sample.in_scope - offsets[sample.answers])


def _fit_log_odds(sample: Sample) -> Tuple[float, float]:
    """Returns slope and intercept, maximum a posteriori."""
    scores, is_right, weights = sample.in_scope, sample.is_right.astype(float), sample.weights
    if len(weights):
        weights = weights / weights.mean()
    strength = _PRIOR_STRENGTH * np.array([_PRIOR_SPREAD**2, 1.0])

    def loss_and_gradient(parameters: np.ndarray) -> Tuple[float, np.ndarray]:
        log_odds = parameters[0] * scores + parameters[1]
        away = parameters - _PRIOR
        loss = weights @ (np.logaddexp(0, log_odds) - is_right * log_odds)
        residuals = weights * (expit(log_odds) - is_right)
        gradient = np.array([residuals @ scores, residuals.sum()]) + strength * away
        return float(loss + strength @ away**2 / 2), gradient

    found = minimize(loss_and_gradient, _PRIOR, jac=True, method="BFGS").x
    return max(float(found[0]), _MIN_SLOPE), float(found[1])


def _operating_point(sample: Sample, share: float, natural: float) -> float:
    """Returns the score that `share` of the right answers lie below.

    Few right answers are mixed with `natural`, where right and wrong are equally likely.
    """
    scores, weights = sample.in_scope[sample.is_right], sample.weights[sample.is_right]
    if not len(scores):
        return natural
    order = np.argsort(scores)
    reached = np.cumsum(weights[order]) / weights.sum()
    found = scores[order][min(int(np.searchsorted(reached, share)), len(scores) - 1)]
    n_right = len(scores)
    return float((n_right * found + _PRIOR_RIGHT * natural) / (n_right + _PRIOR_RIGHT))
