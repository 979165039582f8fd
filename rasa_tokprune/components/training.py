"""From a bot's examples to a classifier and its report."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Optional, Sequence

from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.config.decisions import DecisionSettings
from rasa_tokprune.components.features import text_embeddings
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.errors import ConfigError, did_you_mean
from rasa_tokprune.fewshot import (
    PrototypeClassifier,
    SupportSet,
    embed_names,
    find_oos_labels,
    fit_classifier,
    training_report,
)


@dataclasses.dataclass(frozen=True)
class TrainedIntents:
    """What training leaves behind.

    Attributes:
        classifier: Ready to decide.
        texts: Texts of its support set.
        report: What cross-validation says; None if it is turned off.
    """

    classifier: PrototypeClassifier
    texts: List[str]
    report: Optional[Dict[str, Any]]


def labelled_examples(training_data: TrainingData) -> List[Message]:
    """Returns the messages with an intent and with content."""
    return [
        example
        for example in training_data.intent_examples
        if example.get(INTENT) and (example.get(TEXT) or "").strip()
    ]


def train_intents(
    examples: Sequence[Message], encoder: Encoder, settings: DecisionSettings, show_progress: bool
) -> TrainedIntents:
    """Encodes examples once, fits a classifier and cross-validates it.

    Raises:
        ConfigError: If `oos_intents` names an intent without examples, or all of them.
    """
    labels = [example.get(INTENT) for example in examples]
    keys = [example.get(INTENT_RESPONSE_KEY) or example.get(INTENT) for example in examples]
    oos_labels = _oos_labels(labels, settings.oos_intents)
    embeddings = text_embeddings(examples, encoder, show_progress=show_progress)
    names = embed_names(keys, encoder.encode) if settings.use_intent_names else None
    support = SupportSet.of(embeddings, labels, keys, names)
    fitted = fit_classifier(
        support,
        oos_labels=oos_labels,
        target_in_scope_rejection=settings.target_in_scope_rejection,
        show_progress=show_progress,
    )
    texts = [example.get(TEXT) for example in examples]
    report = training_report(fitted, support, texts) if settings.cross_validation else None
    return TrainedIntents(fitted.classifier, texts, report)


def _oos_labels(labels: Sequence[str], given: Optional[Sequence[str]]) -> Sequence[str]:
    if given is None:
        return find_oos_labels(labels)
    known = sorted(set(labels))
    for name in given:
        if name not in known:
            raise ConfigError(
                f"oos_intents names '{name}', which has no example.{did_you_mean(name, known)} "
                f"Intents with examples: {', '.join(known)}"
            )
    return given
