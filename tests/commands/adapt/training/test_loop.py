"""A training learns, stops in time, keeps the best look, and is the same each time."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import numpy as np
import pytest

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.judges import Judges
from rasa_tokprune.commands.adapt.training.loop import AdapterTraining
from rasa_tokprune.commands.adapt.training.settings import TrainingSettings
from rasa_tokprune.commands.adapt.training.student import Student
from rasa_tokprune.encoder import PruningPlan
from rasa_tokprune.errors import ConfigError
from tests.checkpoints import N_LAYERS
from tests.commands.adapt.training.tiny import QUICK, TRAIN, student, training

pytestmark = pytest.mark.thorough

IDENTITY = PruningPlan.identity(N_LAYERS)
ONE_STAGE = dataclasses.replace(QUICK, contrast_steps=0)
Changes = Dict[str, np.ndarray]


class Scripted(Judges):
    """Says what it is told to, and remembers what it was shown."""

    def __init__(self, scores: Sequence[float], learner: Student) -> None:
        self._left, self._learner = iter(scores), learner
        self.shown: List[Changes] = []

    def measure(self, embed: Any) -> Dict[str, Any]:
        assert embed(["where is my parcel"]).shape == (1, 32)
        self.shown.append(self._learner.changes())
        return {"judged": next(self._left)}


def are_equal(first: Changes, second: Changes) -> bool:
    return all(np.array_equal(first[name], second[name]) for name in first)


def judged(folder: Path, scores: Sequence[float], **settings: Any) -> AdapterTraining:
    learner = student(folder)
    own = dataclasses.replace(QUICK, check_every=1, patience=2, **settings)
    return training(folder, own, student=learner, judges=Scripted(scores, learner))


def test_it_learns_in_both_stages(tiny_bert: Path) -> None:
    settings = TrainingSettings(
        steps=60, contrast_steps=40, batch_size=8, n_labels=2, check_every=20,
        learning_rate=1e-2, contrast_learning_rate=5e-3, contrast_weight=1.0,
    )  # fmt: skip
    run = training(tiny_bert, settings)
    run.run()
    distillation, contrast = (
        [entry for entry in run.history if entry["stage"] == stage]
        for stage in ("distillation", "contrast")
    )
    assert [entry["step"] for entry in distillation] == [0, 20, 40, 60]
    assert [entry["step"] for entry in contrast] == [0, 20, 40]
    assert distillation[-1]["held_out"] < 0.9 * distillation[0]["held_out"]
    assert contrast[-1]["contrast"] < 0.9 * contrast[0]["contrast"]
    for looks in (distillation, contrast):
        assert looks[0]["loss"] is None
        assert all(entry["loss"] > 0 for entry in looks[1:])


def test_the_same_seed_trains_the_same(tiny_bert: Path) -> None:
    first, second = (training(tiny_bert).run() for _ in range(2))
    other = training(tiny_bert, dataclasses.replace(QUICK, seed=1)).run()
    assert are_equal(first, second)
    assert not are_equal(first, other)


@pytest.mark.parametrize("scores", [None, [0.5] + [0.4] * 9])
def test_training_that_only_harms_gives_no_change(
    tiny_bert: Path, scores: Optional[List[float]]
) -> None:
    settings = dataclasses.replace(ONE_STAGE, steps=3, check_every=1, learning_rate=3.0)
    learner = student(tiny_bert, IDENTITY)
    judges = scores and Scripted(scores, learner)
    run = training(tiny_bert, settings, student=learner, judges=judges)
    best = run.run()
    # Of an un-pruned student, what targets in half precision leave.
    assert run.history[0]["held_out"] == pytest.approx(0.0, abs=1e-3)
    assert run.history[-1]["held_out"] > 0.01
    assert not any(tensor.any() for name, tensor in best.items() if not name.endswith(".down"))


def test_it_stops_when_held_out_texts_get_no_better(tiny_bert: Path) -> None:
    settings = dataclasses.replace(
        ONE_STAGE, steps=100, check_every=1, patience=3, learning_rate=1.0
    )
    run = training(tiny_bert, settings)
    run.run()
    assert run.has_stopped
    losses = [entry["held_out"] for entry in run.history]
    assert len(losses) < 100
    assert min(losses) == losses[-4]


def test_judges_decide_what_is_best_and_when_to_stop(tiny_bert: Path) -> None:
    run = judged(tiny_bert, [0.1, 0.3, 0.5, 0.5, 0.2], steps=50, contrast_steps=0)
    best = run.run()
    assert [entry["judged"] for entry in run.history] == [0.1, 0.3, 0.5, 0.5, 0.2]
    shown = run._judges.shown  # type: ignore[union-attr]
    assert are_equal(best, shown[2]), "of two equal looks the first"
    assert not are_equal(best, shown[1])
    assert not are_equal(best, shown[3])


def test_a_stage_goes_on_from_the_best_of_the_one_before(tiny_bert: Path) -> None:
    scores = [0.1, 0.5, 0.2, 0.3, 0.5, 0.6, 0.1, 0.4]
    run = judged(tiny_bert, scores, steps=50, contrast_steps=50)
    best = run.run()
    assert [(entry["stage"], entry["step"]) for entry in run.history] == [
        *(("distillation", step) for step in range(4)), *(("contrast", step) for step in range(4)),
    ]  # fmt: skip
    shown = run._judges.shown  # type: ignore[union-attr]
    assert are_equal(shown[4], shown[1])
    assert are_equal(best, shown[5])


def test_a_second_stage_that_only_harms_gives_the_first(tiny_bert: Path) -> None:
    run = judged(tiny_bert, [0.1, 0.5, 0.4, 0.3, 0.5, 0.4, 0.3], steps=3, contrast_steps=50)
    best = run.run()
    assert are_equal(best, run._judges.shown[1])  # type: ignore[union-attr]
    assert not are_equal(best, run._judges.shown[0])  # type: ignore[union-attr]


@pytest.mark.parametrize("is_judged", [False, True])
@pytest.mark.parametrize("check_every", [1, 4, 100])
def test_training_that_diverges_says_so_at_the_next_look(
    tiny_bert: Path, check_every: int, is_judged: bool
) -> None:
    settings = dataclasses.replace(
        ONE_STAGE, steps=200, learning_rate=1e30, check_every=check_every
    )
    learner = student(tiny_bert)
    judges = Scripted([0.5, 0.6, 0.7], learner) if is_judged else None
    run = training(tiny_bert, settings, student=learner, judges=judges)
    message = f"training diverged by step {check_every} of distillation: .* lower the learning rate"
    with pytest.raises(ConfigError, match=message):
        run.run()


def test_no_steps_are_left_without_labels(tiny_bert: Path) -> None:
    with pytest.raises(ConfigError, match="there are no steps: contrast_steps needs labelled"):
        training(tiny_bert, dataclasses.replace(QUICK, steps=0), corpus=Corpus(TRAIN.texts, {}))


def test_only_the_second_stage_looks_at_labels(tiny_bert: Path) -> None:
    run = training(tiny_bert)
    seen: List[Any] = []
    loss = run._objective.loss

    @functools.wraps(loss)
    def watch(batch: Any, stage: Any) -> Any:
        seen.append((stage.name, batch.labelled is not None, batch.n_mash))
        return loss(batch, stage)

    run._objective.loss = watch  # type: ignore[method-assign]
    run.run()
    assert seen == [("distillation", False, 2)] * 12 + [("contrast", True, 2)] * 8
