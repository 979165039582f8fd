"""The numbers of a training."""

from __future__ import annotations

from typing import Any, Dict

import pytest

from rasa_tokprune.commands.adapt.training.settings import Stage, TrainingSettings
from rasa_tokprune.errors import ConfigError


def test_distillation_comes_first_and_contrast_needs_labels() -> None:
    settings = TrainingSettings(
        steps=30, contrast_steps=5, learning_rate=0.5, contrast_learning_rate=0.25,
        contrast_weight=0.125,
    )  # fmt: skip
    distillation = Stage("distillation", 30, 0.5, 0.0)
    assert settings.stages(has_labels=True) == (distillation, Stage("contrast", 5, 0.25, 0.125))
    assert settings.stages(has_labels=False) == (distillation,)


def test_a_stage_without_steps_is_none() -> None:
    assert [each.name for each in TrainingSettings(steps=0).stages(True)] == ["contrast"]
    assert [each.name for each in TrainingSettings(contrast_steps=0).stages(True)] == [
        "distillation"
    ]
    assert TrainingSettings(steps=0).stages(False) == ()


def test_what_is_in_a_batch() -> None:
    settings = TrainingSettings(batch_size=7, mash_share=0.5, n_tasks=2, n_labels=3, n_texts=5)
    batches = settings.batches
    assert (batches.batch_size, batches.mash_share) == (7, 0.5)
    assert (batches.n_tasks, batches.n_labels, batches.n_texts) == (2, 3, 5)
    assert (batches.un_pruned_share, batches.seed) == (settings.un_pruned_share, settings.seed)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0, "contrast_steps": 0}, "one of them at least 1; got 0 and 0"),
        ({"steps": -1}, "steps and contrast_steps must be at least 0"),
        ({"contrast_steps": -1}, "must be at least 0, and one of them"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"n_tasks": 0}, "n_tasks must be at least 1, got 0"),
        ({"n_texts": 1}, "n_texts must be at least 2, got 1"),
        ({"check_every": 0}, "check_every must be at least 1, got 0"),
        ({"patience": 0}, "patience must be at least 1, got 0"),
        ({"learning_rate": 0.0}, "learning_rate must be positive, got 0.0"),
        ({"contrast_learning_rate": float("nan")}, "contrast_learning_rate must be positive"),
        ({"temperature": float("inf")}, "temperature must be positive, got inf"),
        ({"contrast_weight": -1.0}, "contrast_weight must be at least 0, got -1.0"),
        ({"own_weight": -0.5}, "own_weight must be at least 0, got -0.5"),
        ({"un_pruned_share": 1.5}, r"un_pruned_share must be in \[0, 1\], got 1.5"),
        ({"mash_share": 1.0}, r"mash_share must be in \[0, 1\), got 1.0"),
    ],
)
def test_wrong_settings(wrong: Dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingSettings(**wrong)
