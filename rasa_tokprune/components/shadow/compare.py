"""Answers a share of the messages once more, un-pruned, beside what the bot does."""

from __future__ import annotations

import random
import threading
from collections import Counter, deque
from typing import Callable, Deque, List, Optional, Sequence, Tuple

import structlog

from rasa_tokprune.components.ranking import Ranked
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.fewshot import Messages, PrototypeClassifier
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.fewshot.certificate import Outcome, flip_bound, outcomes_of
from rasa_tokprune.fewshot.certificate.outcome import FALLBACK
from rasa_tokprune.monitoring.watch import Watch

logger = structlog.get_logger(__name__)

# What became of a sampled message.
SAME, OTHER_INTENT = "same", "other_intent"
PRUNED_FALLS_BACK, UN_PRUNED_FALLS_BACK = "pruned_falls_back", "un_pruned_falls_back"
FAILED, LEFT_OUT = "failed", "left_out"
COMPARED = (SAME, OTHER_INTENT, PRUNED_FALLS_BACK, UN_PRUNED_FALLS_BACK)
OUTCOMES = (*COMPARED, FAILED, LEFT_OUT)
# Messages that may wait. Where a burst brings more they are left out: no answer ever waits.
MOST_WAITING = 100
# Messages compared between two lines of the log.
LOG_EVERY = 100
_SEED = 0


class Shadow:
    """Compares on a thread of its own, which is there while messages wait; raises nothing.

    Which messages are sampled follows from a seed and their number: that share of messages,
    however often the same one comes.
    """

    def __init__(
        self,
        rate: float,
        classifier: PrototypeClassifier,
        open_encoder: Callable[[], Encoder],
        watch: Watch,
    ) -> None:
        """Prepares; the encoder is opened for the first sampled message.

        Args:
            rate: Share of the messages, in (0, 1].
            classifier: Fitted to the examples by the un-pruned encoder.
            open_encoder: Opens that.
            watch: Counts outcomes.
        """
        self._rate = rate
        self._classifier = classifier
        self._open = open_encoder
        self._watch = watch
        self._encoder: Optional[Encoder] = None
        self._draws = random.Random(_SEED)  # noqa: S311 # a sample, no secret
        self._lock = threading.Lock()
        self._waiting: Deque[Tuple[str, Optional[Outcome]]] = deque()
        self._thread: Optional[threading.Thread] = None
        self._is_given_up = False
        self.counts: Counter[str] = Counter()

    def open(self) -> None:
        """Opens the un-pruned encoder now.

        Raises:
            TokPruneError: If it is not the one of the training, or not there.
        """
        self._encoder = self._open()

    def ask(self, texts: Sequence[str], rankings: Sequence[List[Ranked]]) -> None:
        """Has a share of answered messages compared; returns at once.

        Args:
            texts: The messages.
            rankings: What the bot makes of each.
        """
        try:
            for text, ranking in zip(texts, rankings):
                if not self._is_given_up and self._draws.random() < self._rate:
                    self._add(text, _outcome(ranking))
        except Exception as error:  # no thread can be started
            self._give_up(error)

    def wait(self) -> None:
        """Returns when nothing waits any more."""
        while (thread := self._thread) is not None:
            thread.join()

    def _add(self, text: str, served: Optional[Outcome]) -> None:
        with self._lock:
            is_full = len(self._waiting) >= MOST_WAITING
            if not is_full:
                self._waiting.append((text, served))
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="shadow", daemon=True)
                thread.start()
                self._thread = thread
        if is_full:
            self._count(LEFT_OUT)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    # So that a model that was replaced is not held by an idle thread.
                    self._thread = None
                    return
                text, served = self._waiting.popleft()
            self._compare(text, served)

    def _compare(self, text: str, served: Optional[Outcome]) -> None:
        try:
            if self._encoder is None:
                self.open()
            assert self._encoder is not None  # noqa: S101
        except Exception as error:
            self._count(FAILED)
            self._give_up(error)
            return
        try:
            asked = Messages.encoded([text], self._encoder)
            (own,) = outcomes_of(self._classifier, asked)
            self._count(difference(served, own))
        except Exception as error:
            # Of the error its kind alone: what it says may hold the message.
            logger.warning("rasa_tokprune.shadow_failed", error=type(error).__name__)
            self._count(FAILED)

    def _give_up(self, error: Exception) -> None:
        with self._lock:
            self._waiting.clear()
        self._is_given_up = True
        logger.warning("rasa_tokprune.no_shadow", reason=str(error))

    def _count(self, outcome: str) -> None:
        with self._lock:
            self.counts[outcome] += 1
            counts = dict(self.counts)
        self._watch.shadow(outcome)
        n_compared = sum(counts.get(each, 0) for each in COMPARED)
        if outcome not in COMPARED or n_compared % LOG_EVERY:
            return
        n_changed = n_compared - counts.get(SAME, 0)
        logger.info(
            "tokprune_intent_classifier.shadow",
            messages=n_compared,
            changed=n_changed,
            upper_bound=round(flip_bound(n_changed, n_compared), 4),
            **{each: counts.get(each, 0) for each in OUTCOMES if each != SAME},
        )


def difference(served: Optional[Outcome], un_pruned: Optional[Outcome]) -> str:
    """Returns one of COMPARED: whether the bot would do something else, and what.

    Args:
        served: What the bot makes of a message; None of one without content.
        un_pruned: What it would make of it un-pruned.
    """
    does = FALLBACK if served is None else served.action
    would = FALLBACK if un_pruned is None else un_pruned.action
    if does == would:
        return SAME
    if served is None or not served.is_accepted:
        return PRUNED_FALLS_BACK
    if un_pruned is None or not un_pruned.is_accepted:
        return UN_PRUNED_FALLS_BACK
    return OTHER_INTENT


def _outcome(ranking: List[Ranked]) -> Optional[Outcome]:
    if not ranking:
        return None
    intent, confidence = ranking[0]
    return Outcome(intent, confidence >= OPERATING_CONFIDENCE)
