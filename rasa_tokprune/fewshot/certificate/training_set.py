"""A bot as one encoder sees it: trained as `rasa train` does it, whole or without a fold."""

from __future__ import annotations

import dataclasses
import functools
from typing import List, Mapping, Optional, Sequence

import numpy as np

from rasa_tokprune.fewshot.calibration.calibrate import fit_confidences, hold_out_paraphrases
from rasa_tokprune.fewshot.calibration.confidence import DEFAULT_TARGET_REJECTION
from rasa_tokprune.fewshot.calibration.held_out import HeldOut, concatenate
from rasa_tokprune.fewshot.calibration.temperature import PRIOR_TEMPERATURE
from rasa_tokprune.fewshot.certificate.outcome import Outcome, outcomes_of
from rasa_tokprune.fewshot.classifier import PrototypeClassifier, fit_classifier
from rasa_tokprune.fewshot.content_free import CONTENT_FREE_TEXTS
from rasa_tokprune.fewshot.messages import Messages, TextEncoder
from rasa_tokprune.fewshot.names import embed_names
from rasa_tokprune.fewshot.prototypes import normalize_rows
from rasa_tokprune.fewshot.support import SupportSet
from rasa_tokprune.fewshot.views import Views, fit_views

_N_FOLDS = 5


@dataclasses.dataclass(frozen=True)
class TrainingSet:
    """What a classifier is fitted to; see `PrototypeClassifier.fit`.

    Attributes:
        messages: Examples, (n_examples,).
        labels: Intent of each, (n_examples,).
        keys: Finer name of each, (n_examples,); None takes the labels.
        names: Embedding, (d,), of a key's readable name.
        content_free: Embeddings of messages that say nothing, (n_content_free, d).
        oos_labels: Intents that mean out-of-scope.
        target_in_scope_rejection: Share of right answers that may be rejected, in [0, 1).
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.
    """

    messages: Messages
    labels: Sequence[str]
    keys: Optional[Sequence[str]] = None
    names: Optional[Mapping[str, np.ndarray]] = None
    content_free: Optional[np.ndarray] = None
    oos_labels: Sequence[str] = ()
    target_in_scope_rejection: float = DEFAULT_TARGET_REJECTION
    lexical_weight: Optional[float] = None

    @classmethod
    def encoded(
        cls,
        texts: Sequence[str],
        labels: Sequence[str],
        keys: Sequence[str],
        encoder: TextEncoder,
        *,
        use_intent_names: bool = True,
        oos_labels: Sequence[str] = (),
        target_in_scope_rejection: float = DEFAULT_TARGET_REJECTION,
        lexical_weight: Optional[float] = None,
    ) -> TrainingSet:
        """Returns a bot's examples as an encoder sees them; those without content are left out.

        Args:
            texts: Examples.
            labels: Intent of each.
            keys: Finer name of each.
            encoder: What embeds examples, names and messages that say nothing.
            use_intent_names: Whether the intents' names are examples too.
            oos_labels: See the attribute, as for the others.
            target_in_scope_rejection: In [0, 1).
            lexical_weight: None: the default.
        """
        messages = Messages.encoded(texts, encoder)
        rows = np.flatnonzero(messages.embeddings.any(axis=1))
        keys = [keys[row] for row in rows]
        return cls(
            messages.take(rows),
            [labels[row] for row in rows],
            keys,
            embed_names(keys, encoder.encode) if use_intent_names else None,
            encoder.encode(CONTENT_FREE_TEXTS),
            oos_labels,
            target_in_scope_rejection,
            lexical_weight,
        )

    @functools.cached_property
    def support(self) -> SupportSet:
        """All examples as a support set."""
        return self._support(np.arange(len(self.labels)))

    @functools.cached_property
    def classifier(self) -> PrototypeClassifier:
        """The classifier that `rasa train` makes of them."""
        return fit_classifier(
            self.support,
            oos_labels=self.oos_labels,
            target_in_scope_rejection=self.target_in_scope_rejection,
            lexical_weight=self.lexical_weight,
            with_paraphrases=self._with_paraphrases,
        ).classifier

    def out_of_fold(self) -> List[Optional[Outcome]]:
        """Returns what becomes of each example in a bot that was trained without it.

        Every example is treated as a message to come is, by a bot of four fifths of the examples.
        Its scores are those of both views fitted without its fold: clusters, names and n-grams
        too. Its confidence is that of a map fitted as `calibrate` does, but to held-out scores of
        the other folds' examples alone, by themselves and with their paraphrases: neither its own
        scores nor its label are among what decides the operating point. (The prototypes that
        scored those others had it as an example, which moves the few numbers of the map by next
        to nothing. To fit anew within every fold takes five times as long.)

        Folds depend on the labels alone. Two encoders' examples are therefore answered by bots of
        the same examples, and what differs is due to the encoder.

        Returns:
            (n_examples,); None for the only example of an intent, which cannot be held out.

        Raises:
            ConfigError: If all intents mean out-of-scope.
        """
        oos = self.support.oos_numbers(self.oos_labels)
        folds = _folds(self.labels)
        supports = {
            fold: self._support(np.flatnonzero(folds != fold))
            for fold in np.unique(folds[folds >= 0])
        }
        views = {fold: fit_views(own, self.lexical_weight) for fold, own in supports.items()}
        ways = (self._alone(folds, views), self._with_paraphrases)
        fold_of = [folds[self.support.sources[way.rows]] for way in ways]
        found: List[Optional[Outcome]] = [None] * len(self.labels)
        for fold, own in supports.items():
            others = [way.take(of != fold) for way, of in zip(ways, fold_of)]
            confidence_map = fit_confidences(
                others, self.support, oos, self.target_in_scope_rejection
            )
            classifier = PrototypeClassifier(
                classes=own.classes,
                keys=own.keys,
                head=views[fold].head,
                confidence_map=confidence_map,
                # Any will do: it does not move a confidence over the operating point.
                temperature=PRIOR_TEMPERATURE,
                oos_classes=oos,
                sources=own.sources[views[fold].head.rows],
                lexical=views[fold].lexical,
            )
            rows = np.flatnonzero(folds == fold)
            for row, outcome in zip(rows, outcomes_of(classifier, self.messages.take(rows))):
                found[row] = outcome
        return found

    @functools.cached_property
    def _with_paraphrases(self) -> HeldOut:
        return hold_out_paraphrases(self.support, self.lexical_weight)

    def _support(self, rows: np.ndarray) -> SupportSet:
        own = self.messages.take(rows)
        return SupportSet.of(
            own.embeddings,
            [self.labels[row] for row in rows],
            None if self.keys is None else [self.keys[row] for row in rows],
            self.names,
            own.texts,
            own.readable,
            self.content_free,
        )

    def _alone(self, folds: np.ndarray, views: Mapping[int, Views]) -> HeldOut:
        """Returns the scores of each example by the views that were fitted without its fold."""
        is_own = ~self.support.is_name
        row_of = np.empty(len(folds), dtype=int)
        row_of[self.support.sources[is_own]] = np.flatnonzero(is_own)
        unit = normalize_rows(self.messages.embeddings).astype(np.float32)
        messages = dataclasses.replace(self.messages, embeddings=unit)
        parts = []
        for fold, own in views.items():
            rows = np.flatnonzero(folds == fold)
            scores = own.score_messages(messages.take(rows))
            parts.append(HeldOut.of(row_of[rows], list(scores)))
        return concatenate(parts, len(self.support.classes))


def _folds(labels: Sequence[str]) -> np.ndarray:
    """Returns the fold of each example, (n_examples,); -1 for the only one of an intent."""
    array = np.array(labels)
    folds = np.full(len(array), -1)
    for label in np.unique(array):
        members = np.flatnonzero(array == label)
        if len(members) > 1:
            folds[members] = np.arange(len(members)) % _N_FOLDS
    return folds
