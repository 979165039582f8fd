"""Everything that makes one adapter, as JSON values: here, in a process, or on a cluster."""

from __future__ import annotations

import base64
import dataclasses
import json
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import torch

from rasa_tokprune import __version__
from rasa_tokprune.commands.adapt.corpus import HELD_OUT_SHARE, Corpus
from rasa_tokprune.commands.adapt.judges import Judges, read_set
from rasa_tokprune.commands.adapt.mash import draw_mash
from rasa_tokprune.commands.adapt.named_files import Named
from rasa_tokprune.commands.adapt.provenance import (
    History,
    describe_tasks,
    folder_of,
    improvement,
    name_of,
    training_identity,
)
from rasa_tokprune.commands.adapt.teachers import Targets, encode_targets, read_targets
from rasa_tokprune.commands.adapt.training.loop import AdapterTraining
from rasa_tokprune.commands.adapt.training.settings import TrainingSettings
from rasa_tokprune.commands.adapt.training.student import Student
from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.backends.choice import is_fast_here
from rasa_tokprune.encoder.formats import AUTO, Precision
from rasa_tokprune.encoder.shared import resolve_device
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.files import hash_files, is_folder
from rasa_tokprune.texts.tasks import read_examples

# Another version may train otherwise.
JOB = f"adapter 3 of rasa-tokprune {__version__}"
_N_MASH = 4000
EMBEDDINGS_SUFFIX = ".safetensors"


@dataclasses.dataclass(frozen=True)
class Recipe:
    """What an adapter is made of.

    Attributes:
        name: Of the adapter and its plan.
        model: Folder or hub id.
        plan: As of `PruningPlan.to_dict`.
        texts: Files of unlabelled messages.
        tasks: Name and file of labelled messages.
        judges: Name and file of labelled messages to choose by, never trained on.
        sha256: Of all these files.
        concatenations: Long texts made of several in a row.
        rank: Of the change of each matrix.
        settings: Fields of `TrainingSettings`.
        precision: 'fp32' or 'bf16'.
        device: torch's name of the device.
        num_threads: Of the training; None takes all cores.
        strength: Share of the trained changes that is kept; see `Adapter.scaled`.
        start: File of the adapter to go on from; '' starts at the encoder itself.
        teacher: Folder or hub id of a second teacher, or a file of its embeddings; '' is none.
        teacher_share: Of the second teacher's similarities, in [0, 1].
    """

    name: str
    model: str
    plan: Mapping[str, Any]
    texts: Tuple[str, ...]
    tasks: Named
    judges: Named
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
        embeddings = [self.teacher] if self.teacher.endswith(EMBEDDINGS_SUFFIX) else []
        starts = [self.start] if self.start else []
        named = [path for _, path in (*self.tasks, *self.judges)]
        return [*self.texts, *named, *starts, *embeddings, *models]

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
        settings = TrainingSettings(**self.settings)
        about = self._about(teacher, plan, train)
        student = self._student(teacher, plan, about)
        mash = draw_mash(_N_MASH, settings.seed) if settings.mash_share else []
        texts = sorted({*train.texts, *held_out.texts})
        training = AdapterTraining(
            student,
            teacher,
            self._targets(teacher, texts, mash, about, show_progress),
            train,
            held_out,
            mash,
            settings,
            self._judge(teacher),
            identity=training_identity(
                teacher, about, (train, held_out), [Path(path) for _, path in self.judges]
            ),
        )
        changes = training.run(checkpoint=checkpoint, show_progress=show_progress)
        about["held_out"] = improvement(training.history)
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
        self,
        teacher: Encoder,
        texts: Sequence[str],
        mash: Sequence[str],
        about: Dict[str, str],
        show_progress: bool,
    ) -> Targets:
        """Returns what the student is to answer; writes down who the second teacher is."""
        own = encode_targets(teacher, [*texts, *mash], show_progress)
        other, share = None, self.teacher_share
        if self.teacher.endswith(EMBEDDINGS_SUFFIX):
            other = read_targets(Path(self.teacher), texts)
            name = f"{Path(self.teacher).name} {hash_files([self.teacher])}"
            about["teacher"] = f"{name}, share {share:g}"
        elif self.teacher:
            second = load_encoder(
                self.teacher,
                device=self.device,
                precision=AUTO,  # in 8 bits a large one takes a fraction of the time
                num_threads=self.num_threads,
            )
            other = encode_targets(second, texts, show_progress)
            name = f"{name_of(self.teacher, second)} {second.model.identity}"
            about["teacher"] = f"{name}, share {share:g}"
        return Targets.of(own, other, share, self.device)

    def _judge(self, teacher: Encoder) -> Optional[Judges]:
        sets = [read_set(name, Path(path)) for name, path in self.judges]
        return Judges(sets, teacher.readable_shares) if sets else None

    def _about(self, teacher: Encoder, plan: PruningPlan, train: Corpus) -> Dict[str, str]:
        """Returns where an adapter comes from; no path of this machine."""
        return {
            "model": name_of(self.model, teacher),
            "made_with": f"rasa-tokprune {__version__}",
            "plan": plan.fingerprint(),
            "rank": str(self.rank),
            "precision": self.precision,
            "texts": str(len(train.texts)),
            "text_files": ", ".join(Path(path).name for path in self.texts),
            "tasks": describe_tasks(train.tasks),
            "judges": ", ".join(name for name, _ in self.judges),
            "settings": json.dumps(dict(self.settings), sort_keys=True),
        }

    def _read(self) -> Tuple[Corpus, Corpus]:
        """Returns what to train on and what to watch, each with long texts made of its own."""
        tasks = {name: Path(path) for name, path in self.tasks}
        judged = {text for _, path in self.judges for text in read_examples(Path(path))[0]}
        corpus = Corpus.read([Path(path) for path in self.texts], tasks).without(judged)
        train, held_out = corpus.split()
        seed, n_long = self.settings["seed"], self.concatenations
        return (
            train.with_concatenations(n_long, seed),
            held_out.with_concatenations(round(HELD_OUT_SHARE * n_long), seed),
        )


def train_adapter(recipe: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns an adapter, safetensors in base64, and the history of its training: a job.

    Args:
        recipe: Fields of a `Recipe`.
    """
    values = {**recipe, "texts": tuple(recipe["texts"])}
    for key in ("tasks", "judges"):
        values[key] = tuple((name, path) for name, path in recipe[key])
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
