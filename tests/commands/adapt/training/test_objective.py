"""The losses of a batch, against slow loops."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Callable, List, Optional

import numpy as np
import pytest
import torch

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.training.batches import Batch, LabelledBatch
from rasa_tokprune.commands.adapt.training.losses import contrastive_loss
from rasa_tokprune.commands.adapt.training.objective import Objective
from rasa_tokprune.commands.adapt.training.sentences import tokenize
from rasa_tokprune.commands.adapt.training.settings import TrainingSettings
from rasa_tokprune.commands.adapt.training.student import Student, embed
from rasa_tokprune.encoder import Encoder, PruningPlan
from tests.adapters import random_adapter
from tests.checkpoints import CORPUS, N_LAYERS
from tests.commands.adapt.training.tiny import (
    HELD_OUT,
    MASH,
    TASK,
    encoder_in,
    student,
    targets,
)

SETTINGS = TrainingSettings(own_weight=0.3, similarity_weight=2.0, contrast_weight=0.5)
DISTILLATION, CONTRAST = SETTINGS.stages(has_labels=True)
TEXTS = (*CORPUS[:4], *MASH[:2])


def learner_in(folder: Path) -> Student:
    """A student that differs from its encoder."""
    found = Student(
        folder, encoder_in(folder).model.spec, PruningPlan.identity(N_LAYERS), rank=2, seed=0
    )
    found.load_changes(random_adapter(folder))
    return found


def batch_of(encoder: Encoder, labelled: Optional[LabelledBatch] = None) -> Batch:
    return Batch(tokenize(encoder, False, TEXTS), TEXTS, 2, labelled, True)


def labelled_of(encoder: Encoder) -> LabelledBatch:
    texts = [text for own in TASK.values() for text in own]
    numbers = np.array([0, 0, 1, 1]), np.zeros(4, dtype=np.int64)
    return LabelledBatch(tokenize(encoder, False, texts), *numbers)


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


@pytest.mark.parametrize("share", [None, 0.25])
def test_distillation_is_the_slow_loop(
    checkpoint: Callable[[str], Path], share: Optional[float]
) -> None:
    folder = checkpoint("bert")
    encoder, learner = encoder_in(folder), learner_in(folder)
    second = None if share is None else encoder_in(checkpoint("mpnet"))
    found = Objective(learner, encoder, targets(encoder, second, share or 0.5), SETTINGS).loss(
        batch_of(encoder), DISTILLATION
    )
    seen, own = embed(learner, encoder, TEXTS), unit(encoder.encode(TEXTS))
    other = None if second is None else unit(second.encode(TEXTS))
    distances: List[float] = []
    squares: List[float] = []
    for row in range(6):
        is_mash = row >= 4
        distances.append((1.0 if is_mash else 0.3) * (1 - seen[row] @ own[row]))
        for column in range(6):
            wanted = own[row] @ own[column]
            if other is not None and share is not None and not is_mash and column < 4:
                wanted = (1 - share) * wanted + share * other[row] @ other[column]
            squares.append((seen[row] @ seen[column] - wanted) ** 2)
    expected = np.mean(distances) + 2.0 * np.mean(squares)
    assert found.item() == pytest.approx(expected, abs=2e-3)  # targets are kept in half precision
    assert expected > 0.1


def test_contrast_is_added_with_its_weight(tiny_bert: Path) -> None:
    encoder, learner = encoder_in(tiny_bert), learner_in(tiny_bert)
    objective = Objective(learner, encoder, targets(encoder), SETTINGS)
    labelled = labelled_of(encoder)
    with torch.no_grad():
        alone = objective.loss(batch_of(encoder), CONTRAST)
        both = objective.loss(batch_of(encoder, labelled), CONTRAST)
        contrast = contrastive_loss(
            learner(labelled.sentences), torch.tensor([0, 0, 1, 1]), torch.zeros(4),
            SETTINGS.temperature,
        )  # fmt: skip
    assert float(both - alone) == pytest.approx(0.5 * float(contrast), rel=1e-4)
    assert float(contrast) > 0.01


def test_held_out_losses_add_up(tiny_bert: Path) -> None:
    encoder, learner = encoder_in(tiny_bert), learner_in(tiny_bert)
    objective = Objective(learner, encoder, targets(encoder), SETTINGS)
    first, second = (objective.held_out(HELD_OUT, stage) for stage in (DISTILLATION, CONTRAST))
    assert first["contrast"] is None
    assert first["held_out"] == pytest.approx(first["distance"] + 2.0 * first["similarity"])
    assert second["contrast"] > 0
    assert second["held_out"] == pytest.approx(first["held_out"] + 0.5 * second["contrast"])
    unlabelled = objective.held_out(Corpus(HELD_OUT.texts, {}), CONTRAST)
    assert unlabelled == first


def test_an_encoder_of_embeddings_of_any_length_teaches_directions(
    new_checkpoint: Callable[..., Path],
) -> None:
    folder = new_checkpoint("bert", normalize=False)
    encoder = encoder_in(folder)
    assert np.linalg.norm(encoder.encode(CORPUS), axis=1).min() > 2
    same = Objective(
        student(folder, PruningPlan.identity(N_LAYERS)), encoder, targets(encoder), SETTINGS
    )
    found: Any = same.held_out(HELD_OUT, DISTILLATION)
    assert found["held_out"] == pytest.approx(0.0, abs=1e-3)


def test_a_step_without_pruning_runs_all_tokens(tiny_bert: Path) -> None:
    encoder = encoder_in(tiny_bert)
    plan = PruningPlan(N_LAYERS, (0.5, 0.5, 0.0, 0.0))
    objective = Objective(student(tiny_bert, plan), encoder, targets(encoder), SETTINGS)
    batch = batch_of(encoder)
    pruned = objective.loss(batch, DISTILLATION)
    whole = objective.loss(dataclasses.replace(batch, prunes=False), DISTILLATION)
    assert float(whole.detach()) == pytest.approx(0.0, abs=1e-3)
    assert float(pruned.detach()) > 0.01
