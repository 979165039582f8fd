"""Trainings of a tiny encoder that take a second: texts, a task, all the parts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.teachers import Targets
from rasa_tokprune.commands.adapt.training.loop import AdapterTraining
from rasa_tokprune.commands.adapt.training.sentences import Sentences
from rasa_tokprune.commands.adapt.training.settings import TrainingSettings
from rasa_tokprune.commands.adapt.training.student import Student
from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from tests.checkpoints import CORPUS, N_LAYERS

PLAN = PruningPlan(N_LAYERS, (0.0, 0.4, 0.4, 0.0), kept_layers=(0, 1, 2))
TASK = {"parcel": [CORPUS[0], CORPUS[3]], "order": [CORPUS[1], CORPUS[5]]}
TRAIN = Corpus(tuple(sorted(CORPUS)), {"shop": TASK})
HELD_OUT = Corpus(("is my parcel there", "cancel it please"), {"shop": TASK})
MASH = ("asdf", "uh", "?!")
# A look after every four steps, and two of mash in every batch.
QUICK = TrainingSettings(
    steps=12, contrast_steps=8, batch_size=6, n_labels=2, mash_share=0.3, check_every=4, patience=9
)


def encoder_in(folder: Path, **settings: Any) -> Encoder:
    return load_encoder(str(folder), backend="torch", **settings)


def student(folder: Path, plan: PruningPlan = PLAN, seed: int = 0, **settings: Any) -> Student:
    return Student(folder, encoder_in(folder).model.spec, plan, rank=4, seed=seed, **settings)


def sentences(encoder: Encoder) -> Sentences:
    return Sentences.of(encoder.tokenize(CORPUS), encoder)


def targets(encoder: Encoder, other: Optional[Encoder] = None, share: float = 0.5) -> Targets:
    texts = [*TRAIN.texts, *HELD_OUT.texts, *(text for own in TASK.values() for text in own)]
    own = dict(zip([*texts, *MASH], encoder.encode([*texts, *MASH])))
    return Targets.of(own, other and dict(zip(texts, other.encode(texts))), share)


def training(folder: Path, settings: TrainingSettings = QUICK, **own: Any) -> AdapterTraining:
    """Returns a training of a new student, or of `student`."""
    encoder = encoder_in(folder)
    learner = own.pop("student", None) or student(folder)
    corpus = own.pop("corpus", TRAIN)
    return AdapterTraining(
        learner, encoder, targets(encoder), corpus, HELD_OUT, MASH, settings, **own
    )
