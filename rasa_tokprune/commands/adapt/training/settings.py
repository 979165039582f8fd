"""How an adapter is trained: the numbers."""

from __future__ import annotations

import dataclasses
import math
from typing import Tuple

from rasa_tokprune.errors import ConfigError


@dataclasses.dataclass(frozen=True)
class BatchSettings:
    """What is in a batch.

    Attributes:
        batch_size: Texts a step, mash among them.
        mash_share: Share of those that is mash.
        n_tasks: Tasks that labelled texts are drawn of, in each step.
        n_labels: Labels of each, at most.
        n_texts: Texts of each label, at most.
        un_pruned_share: Share of the steps in which nothing is pruned.
        seed: Decides all that is random.
    """

    batch_size: int
    mash_share: float
    n_tasks: int
    n_labels: int
    n_texts: int
    un_pruned_share: float
    seed: int


@dataclasses.dataclass(frozen=True)
class Stage:
    """A part of a training, with a learning rate that rises and falls to zero of its own.

    Attributes:
        name: In the history.
        steps: How many.
        learning_rate: At its highest.
        contrast_weight: Of the contrastive loss; 0 looks at no labels.
    """

    name: str
    steps: int
    learning_rate: float
    contrast_weight: float


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """How an adapter is trained: long distillation, then a short and weak contrast.

    Attributes:
        steps: Steps of distillation.
        contrast_steps: Steps after those, of distillation and contrast; 0 for none.
        batch_size: Texts a step.
        learning_rate: Of AdamW in distillation, at its highest.
        contrast_learning_rate: In the second stage.
        own_weight: Of the distance to the encoder's own un-pruned embedding.
        similarity_weight: Of the difference of the similarities in a batch from the teachers'.
        contrast_weight: Of the contrastive loss.
        temperature: Of the contrastive loss.
        n_tasks: Tasks in a step of contrast.
        n_labels: Labels of each, at most.
        n_texts: Texts of each label, at most.
        mash_share: Share of a batch that is drawn keyboard mash, held to the encoder's own
            embedding of it with weight 1.
        un_pruned_share: Share of the steps in which nothing is pruned, so that the same weights
            serve sentences the plan leaves alone.
        check_every: Steps between looks at what is held out.
        patience: Looks without improvement after which a stage ends.
        seed: Decides all that is random.
    """

    steps: int = 1500
    contrast_steps: int = 250
    batch_size: int = 256
    learning_rate: float = 1e-3
    contrast_learning_rate: float = 4e-4
    own_weight: float = 0.3
    similarity_weight: float = 16.0
    contrast_weight: float = 0.04
    temperature: float = 0.07
    n_tasks: int = 4
    n_labels: int = 24
    n_texts: int = 4
    mash_share: float = 0.1
    un_pruned_share: float = 0.25
    check_every: int = 100
    patience: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks every value."""
        for name in ("batch_size", "n_tasks", "n_labels", "check_every", "patience"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        if self.n_texts < 2:
            raise ConfigError(f"n_texts must be at least 2, got {self.n_texts}")
        if self.steps < 0 or self.contrast_steps < 0 or not self.steps + self.contrast_steps:
            raise ConfigError(
                f"steps and contrast_steps must be at least 0, and one of them at least 1; got "
                f"{self.steps} and {self.contrast_steps}"
            )
        for name in ("learning_rate", "contrast_learning_rate", "temperature"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be positive, got {getattr(self, name)}")
        for name in ("own_weight", "similarity_weight", "contrast_weight"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be at least 0, got {getattr(self, name)}")
        if not 0 <= self.un_pruned_share <= 1:
            raise ConfigError(f"un_pruned_share must be in [0, 1], got {self.un_pruned_share}")
        if not 0 <= self.mash_share < 1:
            raise ConfigError(f"mash_share must be in [0, 1), got {self.mash_share}")

    def stages(self, has_labels: bool) -> Tuple[Stage, ...]:
        """Returns the stages, in their order.

        Args:
            has_labels: Whether there are labelled texts; without any there is no contrast.
        """
        found = [Stage("distillation", self.steps, self.learning_rate, 0.0)]
        if has_labels:
            rate, weight = self.contrast_learning_rate, self.contrast_weight
            found.append(Stage("contrast", self.contrast_steps, rate, weight))
        return tuple(stage for stage in found if stage.steps)

    @property
    def batches(self) -> BatchSettings:
        """What is in a batch."""
        return BatchSettings(
            batch_size=self.batch_size,
            mash_share=self.mash_share,
            n_tasks=self.n_tasks,
            n_labels=self.n_labels,
            n_texts=self.n_texts,
            un_pruned_share=self.un_pruned_share,
            seed=self.seed,
        )


# What each number means, for `--help`.
MEANINGS = {
    "steps": "of distillation, the first stage; 0 for none",
    "contrast_steps": "of the second stage, contrast beside it, which needs labels; 0 for none",
    "batch_size": "texts a step",
    "learning_rate": "of distillation, at its highest",
    "contrast_learning_rate": "of the second stage",
    "own_weight": "of the distance to the encoder's own un-pruned embedding",
    "similarity_weight": "of the difference of similarities from the teachers'",
    "contrast_weight": "of the contrast in the second stage",
    "temperature": "of the contrast",
    "n_tasks": "tasks in a step of contrast",
    "n_labels": "labels of each, at most",
    "n_texts": "texts of each label, at most",
    "mash_share": "share of a batch that is drawn keyboard mash, in [0, 1)",
    "un_pruned_share": "share of steps without pruning, for sentences that the plan leaves alone",
    "check_every": "steps between looks at what is held out and at the judges",
    "patience": "looks without improvement that end a stage",
    "seed": "of all that is random",
}
