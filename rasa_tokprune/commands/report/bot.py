"""The bot of a report: trained as `rasa train` does it, whole and without each fold."""

from __future__ import annotations

import dataclasses
import functools
from typing import List, Optional, Sequence

import numpy as np

from rasa_tokprune.commands.evaluate.runs import FitSettings
from rasa_tokprune.commands.report.answers import Answer
from rasa_tokprune.commands.report.encoders import StoredEncoder
from rasa_tokprune.commands.report.material import TRAINING, Material
from rasa_tokprune.fewshot import PrototypeClassifier, SupportSet
from rasa_tokprune.fewshot.answer import best_answer
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE
from rasa_tokprune.fewshot.calibration.held_out import assign_folds, n_folds
from rasa_tokprune.fewshot.certificate import TrainingSet
from rasa_tokprune.fewshot.classifier import Fitted, fit_classifier
from rasa_tokprune.fewshot.decision import top_confidence
from rasa_tokprune.fewshot.support import NO_SOURCE
from rasa_tokprune.fewshot.views import fit_views


@dataclasses.dataclass(frozen=True)
class Bot:
    """A trained bot.

    Attributes:
        encoder: What it reads messages with.
        examples: What it was trained on.
        fitted: The classifier, and what it was calibrated on.
    """

    encoder: StoredEncoder
    examples: TrainingSet
    fitted: Fitted

    @classmethod
    def train(
        cls,
        material: Material,
        encoder: StoredEncoder,
        decides: FitSettings,
        *,
        show_progress: bool,
    ) -> Bot:
        """Trains a bot on its examples.

        Args:
            material: The examples.
            encoder: What reads them.
            decides: How it is to decide.
            show_progress: Whether to show a progress bar.
        """
        own = material.examples
        examples = TrainingSet.encoded(
            own.texts,
            own.labels,
            own.keys,
            encoder,
            use_intent_names=decides.use_intent_names,
            oos_labels=material.oos_labels,
            target_in_scope_rejection=decides.target_in_scope_rejection,
            lexical_weight=decides.lexical_weight,
        )
        fitted = fit_classifier(
            examples.support,
            oos_labels=material.oos_labels,
            target_in_scope_rejection=decides.target_in_scope_rejection,
            lexical_weight=decides.lexical_weight,
            show_progress=show_progress,
        )
        return cls(encoder, examples, fitted)

    @property
    def support(self) -> SupportSet:
        """Its support set."""
        return self.examples.support

    @functools.cached_property
    def texts(self) -> List[str]:
        """Texts of its examples, by their numbers."""
        return list(self.examples.messages.texts or ())

    @functools.cached_property
    def fold_of(self) -> np.ndarray:
        """Fold that each example is held out in, by its number; -1 if in none, (n_examples,)."""
        folds = np.full(len(self.examples.labels), -1)
        is_own = ~self.support.is_name
        of_rows = assign_folds(self.support, n_folds(self.support))
        folds[self.support.sources[is_own]] = of_rows[is_own]
        return folds

    @functools.cached_property
    def _without_fold(self) -> List[PrototypeClassifier]:
        return [self._fit_without(fold) for fold in range(int(self.fold_of.max()) + 1)]

    def classifier_for(self, example: int) -> PrototypeClassifier:
        """Returns the classifier trained without an example's fold; the whole one for -1."""
        fold = -1 if example == NO_SOURCE else int(self.fold_of[example])
        return self.fitted.classifier if fold < 0 else self._without_fold[fold]

    def _fit_without(self, fold: int) -> PrototypeClassifier:
        """Returns the classifier of the other folds; confidences stay those of the whole bot."""
        support = self.support
        stays = (support.sources == NO_SOURCE) | (self.fold_of[support.sources] != fold)
        views = fit_views(support, self.fitted.calibration.lexical_weight, stays)
        return dataclasses.replace(
            self.fitted.classifier,
            head=views.head,
            lexical=views.lexical,
            sources=support.sources[np.flatnonzero(stays)][views.head.rows],
        )

    def held_out_answers(self) -> List[Answer]:
        """Returns the answer to each example that the cross-validation held out."""
        held_out = self.fitted.calibration.held_out
        return [
            self._held_out(int(self.support.sources[row]), class_scores, in_scope)
            for row, class_scores, in_scope in zip(
                held_out.rows, held_out.class_scores, held_out.in_scope
            )
        ]

    def _held_out(self, example: int, class_scores: np.ndarray, in_scope: np.ndarray) -> Answer:
        classifier, text = self.fitted.classifier, self.texts[example]
        best = best_answer(class_scores, in_scope, classifier.oos_classes)
        margin = classifier.confidence_map.margin(best)
        top = top_confidence(
            class_scores,
            order := np.argsort(-class_scores, kind="stable"),
            best,
            classifier.confidence_map.confidence(margin),
            classifier.temperature,
            classifier.lexical is not None and classifier.lexical.is_shared(text),
        )
        name, label = classifier.classes[int(order[0])], self.examples.labels[example]
        is_accepted = top >= OPERATING_CONFIDENCE
        return Answer(text, TRAINING, label, name, top, is_accepted, example)

    def answers(
        self,
        texts: Sequence[str],
        source: str,
        intents: Optional[Sequence[Optional[str]]] = None,
        examples: Optional[Sequence[int]] = None,
    ) -> List[Answer]:
        """Returns the answer to each message.

        Args:
            texts: The messages.
            source: Where they are from.
            intents: The right intent of each; None if nobody says.
            examples: Number of the example that each is, or is made of: it is answered by a bot
                that was trained without; None, as -1, takes the whole bot.
        """
        embeddings, readable = self.encoder.read(texts)
        intents = [None] * len(texts) if intents is None else intents
        examples = [NO_SOURCE] * len(texts) if examples is None else examples
        found = []
        for row, (text, intent, example) in enumerate(zip(texts, intents, examples)):
            if not embeddings[row].any():
                found.append(Answer(text, source, intent, None, 0.0, False, example))
                continue
            classifier = self.classifier_for(example)
            decision = classifier.decide(embeddings[row], text, float(readable[row]))
            best = int(decision.order[0])
            top = float(decision.confidences[best])
            name = classifier.classes[best]
            is_accepted = top >= OPERATING_CONFIDENCE
            found.append(Answer(text, source, intent, name, top, is_accepted, example))
        return found
