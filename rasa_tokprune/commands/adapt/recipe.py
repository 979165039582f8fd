"""Everything that makes one adapter, as JSON values: here, in a process, or on a cluster."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
import torch

from rasa_tokprune import __version__
from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.commands.adapt.named_files import Named
from rasa_tokprune.commands.adapt.student import Student
from rasa_tokprune.commands.adapt.teachers import encode_targets
from rasa_tokprune.commands.adapt.training import AdapterTraining, TrainingSettings
from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.backends.choice import is_fast_here
from rasa_tokprune.encoder.formats import AUTO, Precision
from rasa_tokprune.encoder.shared import resolve_device
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.files import hash_files, is_folder

# Another version may train otherwise.
JOB = f"adapter 2 of rasa-tokprune {__version__}"
_HELD_OUT_SHARE = 0.03
_LEAST_TEXTS = 12

History = List[Dict[str, Any]]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What an adapter is made of.

    Attributes:
        name: Of the adapter and its plan.
        model: Folder or hub id.
        plan: As of `PruningPlan.to_dict`.
        texts: Files of unlabelled messages.
        tasks: Name and file of labelled messages.
        sha256: Of all these files.
        concatenations: Long texts made of several in a row.
        rank: Of the change of each matrix.
        settings: Fields of `TrainingSettings`.
        precision: 'fp32' or 'bf16'.
        device: torch's name of the device.
        num_threads: Of the training; None takes all cores.
        strength: Share of the trained changes that is kept; see `Adapter.scaled`.
        start: File of the adapter to go on from; '' starts at the encoder itself.
        teacher: Folder or hub id of a second teacher; '' is none.
        teacher_share: Of the second teacher, see `join_teachers`.
    """

    name: str
    model: str
    plan: Mapping[str, Any]
    texts: Tuple[str, ...]
    tasks: Named
    sha256: str
    concatenations: int
    rank: int
    settings: Mapping[str, Any]
    precision: str
    device: str
    num_threads: Optional[int] = None
    strength: float = 1.0
    start: str = ""
    teacher: str = ""
    teacher_share: float = 0.5

    @property
    def files(self) -> List[str]:
        """All files and folders that decide the result; hub ids are not looked into."""
        models = [name for name in (self.model, self.teacher) if is_folder(name)]
        starts = [self.start] if self.start else []
        return [*self.texts, *(path for _, path in self.tasks), *starts, *models]

    def train(
        self, checkpoint: Optional[Path], show_progress: bool = False
    ) -> Tuple[Adapter, History]:
        """Trains the adapter.

        Args:
            checkpoint: See `AdapterTraining.run`.
            show_progress: Whether to show progress bars.

        Raises:
            TokPruneError: If a file is not what it was, or training diverges.
        """
        if hash_files(self.files) != self.sha256:
            raise ConfigError("the files here are not those where the training was started")
        if self.num_threads is not None:
            torch.set_num_threads(self.num_threads)
        teacher = load_encoder(
            self.model, backend="torch", device=self.device, num_threads=self.num_threads
        )
        train, held_out = self._read()
        plan = PruningPlan.from_dict(dict(self.plan))
        about = self._about(teacher, plan, train)
        student = self._student(teacher, plan, about)
        texts = sorted({*train.texts, *held_out.texts})
        targets = self._targets(teacher, texts, about, show_progress)
        training = AdapterTraining(
            student,
            teacher.tokenize,
            targets,
            train,
            held_out,
            TrainingSettings(**self.settings),
            identity=_identity(teacher, about, train, held_out),
        )
        changes = training.run(checkpoint=checkpoint, show_progress=show_progress)
        looks = [float(entry["held_out"]) for entry in training.history]
        about["held_out_loss"] = f"{looks[0]:.4f} before, {min(looks):.4f} after"
        about["strength"] = f"{self.strength:g}"  # the training itself is the same
        adapter = Adapter(self.name, teacher.model.identity, changes, about)
        return adapter.scaled(self.strength), training.history

    def _student(self, teacher: Encoder, plan: PruningPlan, about: Dict[str, str]) -> Student:
        """Returns the student, with the changes of `start`; writes down which."""
        student = Student(
            folder_of(teacher),
            teacher.model.spec,
            plan,
            rank=self.rank,
            seed=self.settings["seed"],
            device=self.device,
            precision=Precision(self.precision),
        )
        if self.start:
            adapter = Adapter.load(Path(self.start))
            adapter.check_fits(teacher.model.identity)
            student.load_changes(adapter)
            about["start"] = f"{adapter.name} {adapter.identity}"
        return student

    def _targets(
        self, teacher: Encoder, texts: Sequence[str], about: Dict[str, str], show_progress: bool
    ) -> Dict[str, np.ndarray]:
        """Returns what the student is to answer; writes down who the second teacher is."""
        other = None
        if self.teacher:
            other = load_encoder(self.teacher, device=self.device, num_threads=self.num_threads)
            name = f"{_name_of(self.teacher, other)} {other.model.identity}"
            about["teacher"] = f"{name}, share {self.teacher_share:g}"
        return encode_targets(teacher, other, self.teacher_share, texts, show_progress)

    def _read(self) -> Tuple[Corpus, Corpus]:
        """Returns what to train on and what to watch, each with long texts made of its own."""
        tasks = {name: Path(path) for name, path in self.tasks}
        corpus = Corpus.read([Path(path) for path in self.texts], tasks)
        if len(corpus.texts) < _LEAST_TEXTS:
            raise ConfigError(
                f"{len(corpus.texts)} texts are too few to learn from; give at least "
                f"{_LEAST_TEXTS}, better some thousands, with --texts"
            )
        seed = self.settings["seed"]
        train, held_out = corpus.split(_HELD_OUT_SHARE, seed)
        n_long = self.concatenations
        return (
            train.with_concatenations(n_long, seed),
            held_out.with_concatenations(round(_HELD_OUT_SHARE * n_long), seed),
        )

    def _about(self, teacher: Encoder, plan: PruningPlan, train: Corpus) -> Dict[str, str]:
        """Returns where an adapter comes from; no path of this machine."""
        tasks = [
            f"{name} ({len(task)} labels, {sum(map(len, task.values()))} texts)"
            for name, task in sorted(train.tasks.items())
        ]
        return {
            "model": _name_of(self.model, teacher),
            "made_with": f"rasa-tokprune {__version__}",
            "plan": plan.fingerprint(),
            "rank": str(self.rank),
            "precision": self.precision,
            "texts": str(len(train.texts)),
            "text_files": ", ".join(Path(path).name for path in self.texts),
            "tasks": ", ".join(tasks),
            "settings": json.dumps(dict(self.settings), sort_keys=True),
        }


def train_adapter(recipe: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns an adapter, safetensors in base64, and the history of its training: a job.

    Args:
        recipe: Fields of a `Recipe`.
    """
    values = {**recipe, "texts": tuple(recipe["texts"])}
    values["tasks"] = tuple((name, path) for name, path in recipe["tasks"])
    adapter, history = Recipe(**values).train(None)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "adapter.safetensors"
        adapter.save(path)
        content = base64.b64encode(path.read_bytes()).decode()
    return {"adapter": content, "history": history}


def resolve_precision(wanted: str, device: str) -> Precision:
    """Returns the number format of training: bf16 where that is fast, if it is left open."""
    if wanted != AUTO:
        return Precision(wanted)
    is_fast = resolve_device(device) != "cpu" or is_fast_here(Precision.BF16)
    return Precision.BF16 if is_fast else Precision.FP32


def folder_of(encoder: Encoder) -> Path:
    """Returns the checkpoint of an encoder.

    Raises:
        ConfigError: If it was made of none.
    """
    if encoder.folder is None:
        raise ConfigError("the model has no folder to read weights from")
    return encoder.folder


def _name_of(model: str, encoder: Encoder) -> str:
    """Returns a model's hub id, or the name of its folder: no path of this machine."""
    return folder_of(encoder).resolve().name if is_folder(model) else model


def _identity(teacher: Encoder, about: Dict[str, str], *corpora: Corpus) -> str:
    """Returns a hash of what decides the result: all but the names of files."""
    named = ("model", "text_files")
    values = {key: value for key, value in about.items() if key not in named}
    content: List[Any] = [teacher.model.identity, values]
    content += [[corpus.texts, corpus.tasks] for corpus in corpora]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
