"""Trains a student: distillation on all texts, then contrast on the labelled ones beside it."""

from __future__ import annotations

import math
import multiprocessing
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.judges import Judges
from rasa_tokprune.commands.adapt.teachers import Targets
from rasa_tokprune.commands.adapt.training.batches import Batch, Batches
from rasa_tokprune.commands.adapt.training.objective import Objective
from rasa_tokprune.commands.adapt.training.progress import Progress, read_progress, write_progress
from rasa_tokprune.commands.adapt.training.settings import Stage, TrainingSettings
from rasa_tokprune.commands.adapt.training.student import Student, embed
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.threads import available_threads

_WARM_UP_STEPS = 60
_LARGEST_NORM = 1.0
# Processes that prepare batches for a GPU.
_MOST_WORKERS = 4


class AdapterTraining:
    """One training: what it needs, and how far it is."""

    def __init__(
        self,
        student: Student,
        encoder: Encoder,
        targets: Targets,
        corpus: Corpus,
        held_out: Corpus,
        mash: Sequence[str],
        settings: TrainingSettings,
        judges: Optional[Judges] = None,
        identity: str = "",
    ) -> None:
        """Prepares a training.

        Args:
            student: What is trained.
            encoder: Its encoder, un-pruned: it tokenizes.
            targets: What teachers made of all these texts.
            corpus: What to train on.
            held_out: Texts and tasks to watch.
            mash: Messages that say nothing, to train on.
            settings: How.
            judges: Sets to watch; the changes that do best on them are kept. None: those that do
                best on what is held out.
            identity: Hash of everything that decides the result, for `run`'s checkpoint.
        """
        self._student, self._encoder = student, encoder
        self._objective = Objective(student, encoder, targets, settings)
        self._corpus, self._held_out, self._mash = corpus, held_out, tuple(mash)
        self._settings, self._judges = settings, judges
        self._stages = settings.stages(bool(corpus.tasks))
        if not self._stages:
            raise ConfigError("there are no steps: contrast_steps needs labelled texts, steps is 0")
        self._optimizer = self._new_optimizer()
        self._progress = Progress(identity)
        self._best: Dict[str, np.ndarray] = student.changes()

    def run(
        self, *, checkpoint: Optional[Path] = None, show_progress: bool = False
    ) -> Dict[str, np.ndarray]:
        """Trains to the end and returns the changes that did best in the last stage.

        That may be those it started with: they are looked at too. A stage goes on from the best
        of the one before.

        Args:
            checkpoint: File to keep the state in, at every look; an unfinished run of the same
                identity that is found there goes on. None keeps nothing.
            show_progress: Whether to show a progress bar.

        Raises:
            ConfigError: If training diverges, or the checkpoint is of another one.
        """
        if checkpoint is not None:
            self._resume(checkpoint)
        while True:
            stage = self._stages[self._progress.stage]
            self._run_stage(stage, checkpoint, show_progress)
            if self._progress.stage + 1 == len(self._stages):
                return self._best
            self._student.load_tensors(self._best)
            self._optimizer = self._new_optimizer()
            self._progress.next_stage()

    def _run_stage(self, stage: Stage, checkpoint: Optional[Path], show_progress: bool) -> None:
        settings, progress = self._settings, self._progress
        if progress.best is None:  # training may do worse than no change at all
            self._look(stage, None)
        losses: List[Tensor] = []
        steps = self._steps(stage)
        with tqdm(
            total=stage.steps,
            initial=progress.step,
            desc=f"Adapting: {stage.name}",
            disable=not show_progress,
        ) as bar:
            while progress.step < stage.steps and not self.has_stopped:
                losses.append(self._step(next(steps), stage))
                bar.update()
                if progress.step % settings.check_every and progress.step < stage.steps:
                    continue
                self._look(stage, _mean_loss(losses, progress.step, stage))
                losses = []
                bar.set_postfix(_shown(progress.history[-1]))
                if checkpoint is not None:
                    write_progress(checkpoint, progress, self._student, self._optimizer, self._best)

    @property
    def has_stopped(self) -> bool:
        """Whether what is watched has not got better for too long."""
        return self._progress.n_worse >= self._settings.patience

    @property
    def history(self) -> List[Dict[str, Any]]:
        """Every look, the first of each stage before its training.

        `stage`; `step` of it; `loss` of the steps since the last look, None at the first; what
        `Objective.held_out` returns; with judges what `Judges.measure` returns.
        """
        return self._progress.history

    def _steps(self, stage: Stage) -> Iterator[Batch]:
        """Returns the batches from the next step on; processes of their own make a GPU's."""
        is_labelled = stage.contrast_weight > 0
        batches = Batches(
            self._encoder,
            self._student.plan.drop_end,
            self._corpus,
            self._mash,
            self._settings.batches,
            is_labelled=is_labelled,
            part=int(is_labelled),
            n_steps=stage.steps,
        )
        on_cpu = torch.device(self._student.device).type == "cpu"
        # Processes that share the texts; without them the GPU waits for each batch.
        can_fork = "fork" in multiprocessing.get_all_start_methods()
        n_workers = 0
        if can_fork and not on_cpu:
            n_workers = max(1, min(_MOST_WORKERS, available_threads() - 1))
        return iter(
            torch.utils.data.DataLoader(
                batches,
                batch_size=None,
                sampler=range(self._progress.step, stage.steps),
                num_workers=n_workers,
                collate_fn=_as_it_is,
                multiprocessing_context="fork" if n_workers else None,
            )
        )

    def _new_optimizer(self) -> torch.optim.Optimizer:
        on_cpu = torch.device(self._student.device).type == "cpu"
        return torch.optim.AdamW(self._student.parameters(), fused=not on_cpu)

    def _step(self, batch: Batch, stage: Stage) -> Tensor:
        """Learns from a batch; returns its loss, which is still on the device."""
        for group in self._optimizer.param_groups:
            group["lr"] = _learning_rate(self._progress.step, stage)
        loss = self._objective.loss(batch, stage)
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._student.parameters(), _LARGEST_NORM)
        self._optimizer.step()
        self._progress.step += 1
        return loss.detach()

    def _look(self, stage: Stage, training_loss: Optional[float]) -> None:
        """Measures what is held out; remembers the changes if they never did better.

        Raises:
            ConfigError: If training has diverged.
        """
        entry: Dict[str, Any] = {
            "stage": stage.name, "step": self._progress.step, "loss": training_loss,
        }  # fmt: skip
        entry.update(self._objective.held_out(self._held_out, stage))
        _check_finite(entry["held_out"], self._progress.step, stage)
        if self._judges is not None:
            entry.update(self._judges.measure(self._embed))
        self._progress.history.append(entry)
        score = -entry["held_out"] if self._judges is None else entry["judged"]
        if self._progress.best is None or score > self._progress.best:
            self._progress.best, self._progress.n_worse = score, 0
            self._best = self._student.changes()
        else:
            self._progress.n_worse += 1

    def _embed(self, texts: Sequence[str]) -> np.ndarray:
        return embed(self._student, self._encoder, texts)

    def _resume(self, checkpoint: Path) -> None:
        found = read_progress(checkpoint, self._progress.identity, self._student, self._optimizer)
        if found is not None:
            self._progress, self._best = found


def _learning_rate(step: int, stage: Stage) -> float:
    warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
    return stage.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / stage.steps))


def _mean_loss(losses: Sequence[Tensor], step: int, stage: Stage) -> float:
    loss = float(torch.stack(list(losses)).mean())
    _check_finite(loss, step, stage)
    return loss


def _check_finite(loss: float, step: int, stage: Stage) -> None:
    if not math.isfinite(loss):
        raise ConfigError(
            f"training diverged by step {step} of {stage.name}: its loss is no longer a "
            f"number; lower the learning rate, which is {stage.learning_rate}"
        )


def _shown(entry: Dict[str, Any]) -> Dict[str, str]:
    names = [name for name in ("judged", "held_out") if name in entry]
    return {name: f"{entry[name]:.4f}" for name in names}


def _as_it_is(batch: Any) -> Any:
    return batch
