"""From a bot's examples to a classifier and its report."""

from __future__ import annotations

import dataclasses
import time
from typing import Any, Dict, List, Optional, Sequence

import rasa.shared.utils.io
from rasa.shared.nlu.constants import INTENT, INTENT_RESPONSE_KEY, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.config.decisions import DecisionSettings
from rasa_tokprune.components.features import messages_of, read_kept
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.errors import did_you_mean
from rasa_tokprune.fewshot import (
    CONTENT_FREE_TEXTS,
    PrototypeClassifier,
    SupportSet,
    embed_names,
    find_oos_labels,
    fit_classifier,
    training_report,
)
from rasa_tokprune.fewshot.lexical.ngrams import words
from rasa_tokprune.fewshot.messages import HARDLY_READABLE, MANY_PIECES
from rasa_tokprune.terminal import printable

# Named in a warning.
_SHOWN_INTENTS = 5


@dataclasses.dataclass(frozen=True)
class TrainedIntents:
    """What training leaves behind.

    Attributes:
        classifier: Ready to decide.
        texts: Texts of its support set.
        report: What cross-validation says; None if it is turned off.
        seconds: What each part of the training took.
    """

    classifier: PrototypeClassifier
    texts: List[str]
    report: Optional[Dict[str, Any]]
    seconds: Dict[str, float]


@dataclasses.dataclass(frozen=True)
class Learner:
    """Who learns what to tell apart.

    Attributes:
        component: Named in warnings.
        log_name: Named in the log.
        label: Attribute of a message that holds its label.
    """

    component: str
    log_name: str
    label: str


def labelled_examples(training_data: TrainingData) -> List[Message]:
    """Returns the messages with an intent and with content."""
    return [
        example
        for example in training_data.intent_examples
        if example.get(INTENT) and (example.get(TEXT) or "").strip()
    ]


def with_content(examples: Sequence[Message], encoder: Encoder, component: str) -> List[Message]:
    """Returns the messages of which the encoder's tokenizer leaves anything; warns of cut ones.

    Messages of nothing but blanks, control and invisible characters are left out.
    """
    tokens = encoder.tokenize([example.get(TEXT) for example in examples])
    n_cut = sum(own.is_truncated for own in tokens)
    if n_cut:
        rasa.shared.utils.io.raise_warning(
            f"{component}: {n_cut} of {len(examples)} training examples are longer "
            f"than max_length ({encoder.max_length} tokens); the rest of each is not read."
        )
    return [example for example, own in zip(examples, tokens) if own.has_content]


def _warn_of_skipped(examples: Sequence[Message], kept: Sequence[Message], label: str) -> None:
    """Warns of examples without content, with the first few labels that hold them."""
    n_empty = len(examples) - len(kept)
    if not n_empty:
        return
    left = {id(example) for example in kept}
    labels = dict.fromkeys(e.get(label) for e in examples if id(e) not in left)
    rasa.shared.utils.io.raise_warning(
        f"{n_empty} of {len(examples)} examples hold nothing but blank or invisible characters and "
        f"are skipped, of: {shown(list(labels))}. Delete them, or type them again."
    )


def _warn_of_unreadable(examples: Sequence[Message], encoder: Encoder, learner: Learner) -> None:
    """Warns, in one line, of examples in a language or in signs that the encoder does not know."""
    tokens = encoder.tokenize([example.get(TEXT) for example in examples])
    found = [e for e, own in zip(examples, tokens) if own.readable_share < HARDLY_READABLE]
    advice = "For a language that the encoder does not know set `model` to a multilingual one."
    if found:
        texts = [f"'{printable(example.get(TEXT))}'" for example in found]
        labels = list(dict.fromkeys(example.get(learner.label) for example in found))
        rasa.shared.utils.io.raise_warning(
            f"{learner.component}: the encoder cannot read {len(found)} of {len(examples)} "
            f"examples, such as {shown(texts)}, of {shown(labels)}; they are told apart by "
            f"their words alone, not by what they mean. {advice}"
        )
        return
    n_words = sum(len(words(example.get(TEXT))) for example in examples)
    n_tokens = sum(own.n_own for own in tokens)
    if n_words and n_tokens > MANY_PIECES * n_words:
        rasa.shared.utils.io.raise_warning(
            f"{learner.component}: the encoder divides a word of the examples into "
            f"{n_tokens / n_words:.1f} pieces on average, as it does with languages that it was "
            f"not trained on. {advice}"
        )


def shown(names: Sequence[str]) -> str:
    """Returns the first few names, and how many more there are."""
    more = f" and {len(names) - _SHOWN_INTENTS} more" if len(names) > _SHOWN_INTENTS else ""
    return ", ".join(names[:_SHOWN_INTENTS]) + more


def train_prototypes(
    labelled: Sequence[Message], encoder: Encoder, settings: DecisionSettings, learner: Learner
) -> Optional[TrainedIntents]:
    """Trains on the messages with content and warns of what is wrong with the others.

    Returns:
        None if no message has content.

    Raises:
        ConfigError: If `oos_intents` names all intents.
    """
    examples = with_content(labelled, encoder, learner.component)
    _warn_of_skipped(labelled, examples, learner.label)
    if not examples:
        return None
    _warn_of_unreadable(examples, encoder, learner)
    show_progress = not rasa.shared.utils.io.is_logging_disabled()
    return _train(examples, encoder, settings, learner.label, show_progress)


def _train(
    examples: Sequence[Message],
    encoder: Encoder,
    settings: DecisionSettings,
    label: str,
    show_progress: bool,
) -> TrainedIntents:
    """Encodes examples once, fits a classifier and cross-validates it."""
    labels = [example.get(label) for example in examples]
    keys = [example.get(INTENT_RESPONSE_KEY) or example.get(INTENT) for example in examples]
    _warn_of_unknown(labels, settings.oos_intents)
    oos_labels = oos_labels_of(labels, settings)
    started = time.perf_counter()
    messages = messages_of(
        examples, encoder, lambda texts: read_kept(texts, encoder, show_progress)
    )
    encoded = time.perf_counter()
    names = embed_names(keys, encoder.encode) if settings.use_intent_names else None
    support = SupportSet.of(
        messages.embeddings,
        labels,
        keys,
        names,
        messages.texts,
        messages.readable,
        encoder.encode(CONTENT_FREE_TEXTS),
    )
    fitted = fit_classifier(
        support,
        oos_labels=oos_labels,
        target_in_scope_rejection=settings.target_in_scope_rejection,
        lexical_weight=settings.lexical_weight,
        show_progress=show_progress,
    )
    texts = [example.get(TEXT) for example in examples]
    report = training_report(fitted, support, texts) if settings.cross_validation else None
    seconds = {"encoding": encoded - started, "calibrating": time.perf_counter() - encoded}
    return TrainedIntents(fitted.classifier, texts, report, seconds)


def oos_labels_of(labels: Sequence[str], settings: DecisionSettings) -> List[str]:
    """Returns the intents that mean out-of-scope; one that has no example is left out.

    In a fold of a cross-validation it may have none although the bot's data are right.
    """
    if settings.oos_intents is None:
        return find_oos_labels(labels)
    return [name for name in settings.oos_intents if name in labels]


def _warn_of_unknown(labels: Sequence[str], oos_intents: Optional[Sequence[str]]) -> None:
    """Warns of out-of-scope intents that have no example."""
    known = sorted(set(labels))
    for name in oos_intents or []:
        if name not in known:
            rasa.shared.utils.io.raise_warning(
                f"oos_intents names '{name}', which has no example here."
                f"{did_you_mean(name, known)} Training goes on without it. Intents with "
                f"examples: {', '.join(known)}"
            )
