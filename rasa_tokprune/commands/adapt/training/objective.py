"""The losses of a batch, and of what is held out."""

from __future__ import annotations

from typing import Dict, Optional, Sequence, Tuple

import numpy as np
import torch
from torch import Tensor

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.teachers import Targets
from rasa_tokprune.commands.adapt.training.batches import Batch, LabelledBatch
from rasa_tokprune.commands.adapt.training.losses import (
    contrastive_loss,
    distances,
    similarity_loss,
    teachers_similarities,
)
from rasa_tokprune.commands.adapt.training.sentences import tokenize
from rasa_tokprune.commands.adapt.training.settings import Stage, TrainingSettings
from rasa_tokprune.commands.adapt.training.student import Student
from rasa_tokprune.encoder import Encoder

_CHECK_BATCH = 128


class Objective:
    """What a student is asked for: to answer as its teachers, and to tell labels apart."""

    def __init__(
        self, student: Student, encoder: Encoder, targets: Targets, settings: TrainingSettings
    ) -> None:
        """Keeps what losses are made of.

        Args:
            student: What is trained.
            encoder: Its encoder, un-pruned: it tokenizes.
            targets: What teachers made of all texts.
            settings: Weights of the parts.
        """
        self._student, self._encoder = student, encoder
        self._targets, self._settings = targets, settings

    def loss(self, batch: Batch, stage: Stage) -> Tensor:
        """Returns the loss of a batch, a scalar that is still on the device."""
        distance, similarity = self._distillation(batch)
        loss = distance + self._settings.similarity_weight * similarity
        if batch.labelled is not None:
            loss = loss + stage.contrast_weight * self._contrast(batch.labelled, batch.prunes)
        return loss

    def held_out(self, corpus: Corpus, stage: Stage) -> Dict[str, Optional[float]]:
        """Returns the losses of held-out texts and labels, always in the same batches.

        `held_out`, the loss, and its parts `distance`, `similarity` and `contrast`, None where
        labels are not looked at or no two texts share one.
        """
        texts = sorted(corpus.texts, key=len)
        batches = [texts[at : at + _CHECK_BATCH] for at in range(0, len(texts), _CHECK_BATCH)]
        with torch.no_grad():
            parts = [self._distillation(self._watched(own)) for own in batches]
            contrast = self._held_out_contrast(corpus) if stage.contrast_weight else None
        distance, similarity = (float(torch.stack(values).mean()) for values in zip(*parts))
        held_out = distance + self._settings.similarity_weight * similarity
        held_out += stage.contrast_weight * (contrast or 0.0)
        return {
            "held_out": held_out, "distance": distance, "similarity": similarity,
            "contrast": contrast,
        }  # fmt: skip

    def _distillation(self, batch: Batch) -> Tuple[Tensor, Tensor]:
        """Returns the weighted distance from the own teacher, and that of the similarities."""
        student = self._student(batch.sentences, batch.prunes)
        targets = self._targets
        rows = targets.rows(batch.texts)
        own = targets.own[rows].float()
        other = None if targets.other is None else targets.other[rows].float()
        weights = torch.full((len(rows),), self._settings.own_weight)
        weights[len(rows) - batch.n_mash :] = 1.0
        distance = (weights.to(student.device) * distances(student, own)).mean()
        wanted = teachers_similarities(own, other, targets.share, batch.n_mash)
        return distance, similarity_loss(student, wanted)

    def _contrast(self, labelled: LabelledBatch, prunes: bool) -> Tensor:
        embeddings = self._student(labelled.sentences, prunes)
        labels, tasks = (
            torch.from_numpy(numbers).to(embeddings.device)
            for numbers in (labelled.labels, labelled.tasks)
        )
        return contrastive_loss(embeddings, labels, tasks, self._settings.temperature)

    def _held_out_contrast(self, corpus: Corpus) -> Optional[float]:
        losses = []
        for task in corpus.tasks.values():
            texts = [text for own in task.values() for text in own]
            labels = np.repeat(np.arange(len(task)), [len(own) for own in task.values()])
            sentences = tokenize(self._encoder, self._student.plan.drop_end, texts)
            batch = LabelledBatch(sentences, labels, np.zeros_like(labels))
            losses.append(float(self._contrast(batch, True)))
        return float(np.mean(losses)) if losses else None

    def _watched(self, texts: Sequence[str]) -> Batch:
        sentences = tokenize(self._encoder, self._student.plan.drop_end, texts)
        return Batch(sentences, tuple(texts), 0, None, True)
