"""Trains a student: distillation on all texts, contrast on the labelled ones."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from rasa_tokprune.commands.adapt.corpus import Corpus, labelled_batch, text_batches
from rasa_tokprune.commands.adapt.losses import contrastive_loss, distillation_loss
from rasa_tokprune.commands.adapt.progress import Progress, read_progress, write_progress
from rasa_tokprune.commands.adapt.student import Student
from rasa_tokprune.encoder.tokens import Tokens
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.disturb import disturb

_WARM_UP_STEPS = 60
_LARGEST_NORM = 1.0
_CHECK_BATCH = 128


@dataclasses.dataclass(frozen=True)
class TrainingSettings:
    """How an adapter is trained.

    Attributes:
        steps: Steps in all; the learning rate falls to zero along a cosine.
        batch_size: Texts a step.
        learning_rate: Of AdamW, at its highest.
        contrastive_every: A labelled batch every so many steps; 0 never.
        contrastive_weight: Of the contrastive loss, against the distillation loss.
        n_labels: Labels in a labelled batch.
        temperature: Of the contrastive loss.
        un_pruned_share: Share of the steps in which nothing is pruned, so that the same weights
            serve sentences the plan leaves alone.
        check_every: Steps between looks at the held-out texts.
        patience: Looks without improvement after which training ends.
        seed: Decides all that is random.
    """

    steps: int = 400
    batch_size: int = 64
    learning_rate: float = 1e-3
    contrastive_every: int = 2
    contrastive_weight: float = 0.1
    n_labels: int = 32
    temperature: float = 0.1
    un_pruned_share: float = 0.25
    check_every: int = 100
    patience: int = 5
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks every value."""
        for name in ("steps", "batch_size", "n_labels", "check_every", "patience"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "temperature"):
            if not 0 < getattr(self, name) < math.inf:
                raise ConfigError(f"{name} must be positive, got {getattr(self, name)}")
        if self.contrastive_every < 0 or self.contrastive_weight < 0:
            raise ConfigError(
                f"contrastive_every and contrastive_weight must be at least 0, got "
                f"{self.contrastive_every} and {self.contrastive_weight}"
            )
        if not 0 <= self.un_pruned_share <= 1:
            raise ConfigError(f"un_pruned_share must be in [0, 1], got {self.un_pruned_share}")


class AdapterTraining:
    """One training: what it needs, and how far it is."""

    def __init__(
        self,
        student: Student,
        tokenize: Callable[[Sequence[str]], List[Tokens]],
        teacher: Mapping[str, np.ndarray],
        corpus: Corpus,
        held_out: Corpus,
        settings: TrainingSettings,
        identity: str = "",
    ) -> None:
        """Prepares a training.

        Args:
            student: What is trained.
            tokenize: The encoder's tokenizer.
            teacher: What to answer to every text, (d,): the un-pruned encoder's embedding, say.
            corpus: What to train on.
            held_out: Texts and tasks to watch; the changes that do best on them are kept.
            settings: How.
            identity: Hash of everything that decides the result, for `run`'s checkpoint.
        """
        self._student, self._tokenize, self._teacher = student, tokenize, teacher
        self._corpus, self._held_out, self._settings = corpus, held_out, settings
        self._optimizer = torch.optim.AdamW(student.parameters(), lr=settings.learning_rate)
        self._progress = Progress(identity)
        self._best: Dict[str, np.ndarray] = student.changes()

    def run(
        self, *, checkpoint: Optional[Path] = None, show_progress: bool = False
    ) -> Dict[str, np.ndarray]:
        """Trains to the end and returns the changes that did best on the held-out texts.

        That may be those it started with: the untrained student is looked at too.

        Args:
            checkpoint: File to keep the state in, at every look; an unfinished run of the same
                identity that is found there goes on. None keeps nothing.
            show_progress: Whether to show a progress bar.

        Raises:
            ConfigError: If training diverges, or the checkpoint is of another one.
        """
        settings = self._settings
        if checkpoint is not None:
            self._resume(checkpoint)
        if not self._progress.history:  # training may do worse than no change at all
            self._look(None)
        batches = text_batches(
            self._corpus.texts, settings.batch_size, settings.seed, self._progress.step
        )
        losses: List[float] = []
        with tqdm(
            total=settings.steps,
            initial=self._progress.step,
            desc="Adapting",
            disable=not show_progress,
        ) as bar:
            while self._progress.step < settings.steps and not self.has_stopped:
                losses.append(self._step(next(batches)))
                bar.update()
                if self._progress.step % settings.check_every == 0 or (
                    self._progress.step == settings.steps
                ):
                    self._look(float(np.mean(losses)))
                    bar.set_postfix(held_out=f"{self._progress.history[-1]['held_out']:.4f}")
                    losses = []
                    if checkpoint is not None:
                        write_progress(
                            checkpoint, self._progress, self._student, self._optimizer, self._best
                        )
        return self._best

    @property
    def has_stopped(self) -> bool:
        """Whether the held-out texts have not got better for too long."""
        return self._progress.n_worse >= self._settings.patience

    @property
    def history(self) -> List[Dict[str, Any]]:
        """Every look, the first before training.

        `step`, `loss` of the steps since the last look, `held_out` with its parts `distillation`
        and `contrast`; None where there is nothing to measure.
        """
        return self._progress.history

    def _step(self, texts: Sequence[str]) -> float:
        settings, step = self._settings, self._progress.step
        # The first number keeps this apart from the generators of `text_batches`.
        rng = np.random.default_rng((1, settings.seed, step))
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate(step)
        prunes = bool(rng.random() >= settings.un_pruned_share)
        loss = self._distillation(texts, [disturb(text, rng) for text in texts], prunes)
        every = settings.contrastive_every
        if self._corpus.tasks and every > 0 and step % every == 0:
            own, targets = labelled_batch(self._corpus.tasks, settings.n_labels, rng)
            contrast = self._contrast([disturb(text, rng) for text in own], targets, prunes)
            loss = loss + settings.contrastive_weight * contrast
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._student.parameters(), _LARGEST_NORM)
        self._optimizer.step()
        self._progress.step += 1
        if not bool(torch.isfinite(loss)):
            raise ConfigError(
                f"training diverged at step {step}: its loss is no longer a number; lower "
                f"learning_rate, which is {settings.learning_rate}"
            )
        return float(loss.detach())

    def _learning_rate(self, step: int) -> float:
        settings = self._settings
        warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
        return settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / settings.steps))

    def _distillation(self, texts: Sequence[str], seen: Sequence[str], prunes: bool) -> Tensor:
        """Returns the loss of texts that the student sees disturbed, the teacher as they are."""
        student = self._student(self._tokenize(seen), prunes)
        target = torch.from_numpy(np.stack([self._teacher[text] for text in texts]))
        # Some encoders leave their embeddings at any length; the student's have length 1.
        unit = torch.nn.functional.normalize(target.to(student.device), dim=1)
        return distillation_loss(student, unit)

    def _contrast(self, texts: Sequence[str], targets: Sequence[int], prunes: bool) -> Tensor:
        embeddings = self._student(self._tokenize(texts), prunes)
        numbers = torch.tensor(targets, device=embeddings.device)
        return contrastive_loss(embeddings, numbers, self._settings.temperature)

    def _look(self, training_loss: Optional[float]) -> None:
        """Measures the held-out texts; remembers the changes if they never did better."""
        with torch.no_grad():
            distillation = self._held_out_distillation()
            contrast = self._held_out_contrast()
        weight = self._settings.contrastive_weight if self._settings.contrastive_every else 0.0
        held_out = distillation + weight * (contrast or 0.0)
        entry: Dict[str, Any] = {
            "step": self._progress.step,
            "loss": training_loss,
            "held_out": held_out,
        }
        entry.update(distillation=distillation, contrast=contrast)
        self._progress.history.append(entry)
        if self._progress.best is None or held_out < self._progress.best:
            self._progress.best, self._progress.n_worse = held_out, 0
            self._best = self._student.changes()
        else:
            self._progress.n_worse += 1

    def _held_out_distillation(self) -> float:
        texts = sorted(self._held_out.texts, key=len)
        batches = [texts[at : at + _CHECK_BATCH] for at in range(0, len(texts), _CHECK_BATCH)]
        return float(np.mean([float(self._distillation(own, own, True)) for own in batches]))

    def _held_out_contrast(self) -> Optional[float]:
        """Returns the contrastive loss of the held-out labels, always of the same texts."""
        losses = []
        for name, task in self._held_out.tasks.items():
            rng = np.random.default_rng(self._settings.seed)
            texts, targets = labelled_batch({name: task}, len(task), rng)
            losses.append(float(self._contrast(texts, targets, True)))
        return float(np.mean(losses)) if losses else None

    def _resume(self, checkpoint: Path) -> None:
        found = read_progress(checkpoint, self._progress.identity, self._student, self._optimizer)
        if found is not None:
            self._progress, self._best = found
