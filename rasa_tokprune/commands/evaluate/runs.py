"""One run: a support set is fitted as the component fits it, every message is answered."""

from __future__ import annotations

import argparse
import dataclasses
import time
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from rasa_tokprune.commands.arguments import lexical_weight_of, target_rejection_of
from rasa_tokprune.commands.evaluate.arguments import ALL_SHOTS
from rasa_tokprune.commands.evaluate.encoded_texts import EncodedTexts
from rasa_tokprune.commands.evaluate.predictions import Predictions, rounded
from rasa_tokprune.commands.evaluate.task_data import Examples, TaskData
from rasa_tokprune.fewshot import (
    CONTENT_FREE_TEXTS,
    PrototypeClassifier,
    SupportSet,
    embed_names,
    fit_classifier,
)
from rasa_tokprune.fewshot.calibration.confidence import (
    DEFAULT_TARGET_REJECTION,
    OPERATING_CONFIDENCE,
)
from rasa_tokprune.texts.tasks import sample_shots


@dataclasses.dataclass(frozen=True)
class FitSettings:
    """How a bot decides; see docs/components/intent-classifier.md.

    Attributes:
        use_intent_names: Whether the intents' names are examples too.
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.
        target_in_scope_rejection: Share of right answers that may be rejected, in [0, 1).
    """

    use_intent_names: bool
    lexical_weight: Optional[float]
    target_in_scope_rejection: float

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> FitSettings:
        """Returns what the options of `add_decision` say.

        Raises:
            ConfigError: If one of them is out of range.
        """
        share = target_rejection_of(arguments)
        share = DEFAULT_TARGET_REJECTION if share is None else share
        return cls(not arguments.no_intent_names, lexical_weight_of(arguments), share)


@dataclasses.dataclass(frozen=True)
class Run:
    """What is learned from, in which encoder's embeddings.

    Attributes:
        task: Messages.
        encoded: Their embeddings.
        n_shot: Examples per intent; None takes all.
        seed: Chooses them.
    """

    task: TaskData
    encoded: EncodedTexts
    n_shot: Optional[int]
    seed: int

    @property
    def shots(self) -> int | str:
        """`n_shot` as rows and folders say it."""
        return ALL_SHOTS if self.n_shot is None else self.n_shot


@dataclasses.dataclass(frozen=True)
class Answer:
    """What was answered to one message.

    Attributes:
        text: The message.
        intent: The right intent; None for a message of the out-of-scope file.
        predicted: The best intent, which may mean out-of-scope; None for text without content.
        confidence: Of `predicted`, as Rasa gets it.
        in_scope_confidence: `confidence`, or what is left of it if `predicted` means
            out-of-scope.
        is_rejected: Whether it counts as out of scope: `in_scope_confidence` below the operating
            confidence, or `predicted` an intent that means out-of-scope.
        is_oos: Whether it is out of scope.
    """

    text: str
    intent: Optional[str]
    predicted: Optional[str]
    confidence: float
    in_scope_confidence: float
    is_rejected: bool
    is_oos: bool


def evaluate(run: Run, settings: FitSettings) -> Tuple[Dict[str, Any], List[Answer]]:
    """Fits and answers; returns the raw row, ready to become JSON, and every answer."""
    # What has no content is no example, as in training.
    has_content = run.encoded.of(run.task.train.texts).any(axis=1)
    train = run.task.train.take(np.flatnonzero(has_content))
    train = train.take(sample_shots(train.labels, run.n_shot, run.seed))
    start = time.perf_counter()
    classifier = _fit(train, run, settings)
    fit_s = time.perf_counter() - start
    answers = _answer_all(classifier, run)
    predictions = as_predictions(answers)
    row = {
        "task": run.task.name,
        "shots": run.shots,
        "seed": run.seed,
        "model": run.encoded.model,
        "plan": run.encoded.plan,
        "min_tokens": run.encoded.min_tokens,
        "precision": run.encoded.precision,
        "backend": run.encoded.backend,
        "adapter": run.encoded.adapter,
        "cost": run.encoded.mean_cost(run.task.test.texts),
        "n_train": len(train.texts),
        "n_way": len(classifier.classes),
        "oos_intents": list(run.task.oos_labels),
        **dataclasses.asdict(settings),
        "fit_s": round(fit_s, 3),
        "operating_confidence": OPERATING_CONFIDENCE,
        **predictions.measures(),
        "calibration": [rounded(entry) for entry in predictions.calibration()],
        "curve": [rounded(entry) for entry in predictions.curve()],
    }
    return row, answers


def as_predictions(answers: List[Answer]) -> Predictions:
    """Returns the answers as arrays, in-scope and out-of-scope messages apart."""
    inside = [answer for answer in answers if not answer.is_oos]
    outside = [answer for answer in answers if answer.is_oos]
    return Predictions(
        answers=[str(answer.intent) for answer in inside],
        predicted=[answer.predicted for answer in inside],
        confidences=[answer.confidence for answer in inside],
        is_rejected=[answer.is_rejected for answer in inside],
        oos_confidences=[answer.in_scope_confidence for answer in outside],
        oos_is_rejected=[answer.is_rejected for answer in outside],
        in_scope_confidences=[answer.in_scope_confidence for answer in inside],
    )


def _fit(train: Examples, run: Run, settings: FitSettings) -> PrototypeClassifier:
    encode = run.encoded.of
    names = embed_names(train.keys, encode) if settings.use_intent_names else None
    messages = run.encoded.messages(train.texts)
    support = SupportSet.of(
        messages.embeddings,
        train.labels,
        train.keys,
        names,
        messages.texts,
        messages.readable,
        encode(CONTENT_FREE_TEXTS),
    )
    return fit_classifier(
        support,
        oos_labels=run.task.oos_labels,
        target_in_scope_rejection=settings.target_in_scope_rejection,
        lexical_weight=settings.lexical_weight,
    ).classifier


def _answer_all(classifier: PrototypeClassifier, run: Run) -> List[Answer]:
    test, oos_labels = run.task.test, run.task.oos_labels
    pairs: List[Tuple[str, Optional[str]]] = [*zip(test.texts, test.labels)]
    pairs += [(text, None) for text in run.task.oos_texts]
    answers = []
    for text, intent in pairs:
        predicted, confidence = _decide(classifier, text, run.encoded)
        is_oos_answer = predicted in oos_labels
        in_scope = 1.0 - confidence if is_oos_answer else confidence
        answers.append(
            Answer(
                text=text,
                intent=intent,
                predicted=predicted,
                confidence=confidence,
                in_scope_confidence=in_scope,
                is_rejected=is_oos_answer or in_scope < OPERATING_CONFIDENCE,
                is_oos=intent is None or intent in oos_labels,
            )
        )
    return answers


def _decide(
    classifier: PrototypeClassifier, text: str, encoded: EncodedTexts
) -> Tuple[Optional[str], float]:
    """Returns intent and confidence as the component does; zeros are text without content."""
    embedding = encoded.vectors[text]
    if not embedding.any():
        return None, 0.0
    decision = classifier.decide(embedding, text, encoded.readable[text])
    best = int(decision.order[0])
    return classifier.classes[best], float(decision.confidences[best])
