"""Keeps an unfinished training on disk, in one safetensors file that is whole or not there."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
import torch
from safetensors.numpy import save

from rasa_tokprune.commands.adapt.training.student import Student
from rasa_tokprune.encoder.checkpoint.tensor_file import read_with_metadata
from rasa_tokprune.errors import CheckpointError, ConfigError
from rasa_tokprune.machine.stored import store

_ABOUT = "progress"
# torch.optim.AdamW's names.
_MOMENTS = ("step", "exp_avg", "exp_avg_sq")


@dataclasses.dataclass
class Progress:
    """How far a training is.

    Attributes:
        identity: Hash of everything that decides the result; another training does not go on
            from here.
        stage: Number of the stage.
        step: Steps of it that are done.
        best: Highest score in it so far, None before its first look.
        n_worse: Looks since then.
        history: Step, training loss and held-out losses of every look.
    """

    identity: str
    stage: int = 0
    step: int = 0
    best: Optional[float] = None
    n_worse: int = 0
    history: List[Dict[str, Any]] = dataclasses.field(default_factory=list)

    def next_stage(self) -> None:
        """Goes on to the next stage."""
        self.stage, self.step, self.best, self.n_worse = self.stage + 1, 0, None, 0


def write_progress(
    path: Path,
    progress: Progress,
    student: Student,
    optimizer: torch.optim.Optimizer,
    best: Dict[str, np.ndarray],
) -> None:
    """Writes the state of a training; a run killed meanwhile leaves the last one."""
    tensors = {f"best {name}": array for name, array in best.items()}
    for name, parameter in student.changed.items():
        tensors[f"now {name}"] = parameter.detach().cpu().numpy()
        for moment, value in optimizer.state[parameter].items():
            tensors[f"{moment} {name}"] = value.cpu().numpy()
    about = {_ABOUT: json.dumps(dataclasses.asdict(progress))}
    if not store(save(tensors, metadata=about), path):
        raise ConfigError(
            f"the state of the training cannot be written to '{path}'; check that there is space "
            f"and permission to write"
        )


def read_progress(
    path: Path, identity: str, student: Student, optimizer: torch.optim.Optimizer
) -> Optional[Tuple[Progress, Dict[str, np.ndarray]]]:
    """Puts a training back to where it was; None if there is nothing to go on from.

    Raises:
        ConfigError: If another training, or something else, is there.
    """
    if not path.exists():
        return None
    try:
        tensors, metadata = read_with_metadata(path)
        progress = Progress(**json.loads(metadata[_ABOUT]))
    except (CheckpointError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"'{path}' is not the state of a training ({error}); delete it to begin anew"
        ) from error
    if progress.identity != identity:
        raise ConfigError(
            f"'{path}' is the state of a training with other settings or data; go on with those, "
            f"or delete it to begin anew"
        )
    best = {name[5:]: array for name, array in tensors.items() if name.startswith("best ")}
    with torch.no_grad():
        for name, parameter in student.changed.items():
            parameter.copy_(torch.from_numpy(tensors[f"now {name}"]))
            optimizer.state[parameter] = {
                moment: torch.from_numpy(tensors[f"{moment} {name}"]).to(_place(moment, parameter))
                for moment in _MOMENTS
            }
    return progress, best


def _place(moment: str, parameter: torch.Tensor) -> torch.device:
    return torch.device("cpu") if moment == "step" else parameter.device
