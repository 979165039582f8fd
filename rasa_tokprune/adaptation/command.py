"""The command line of `rasa-tokprune adapt`: checks, teacher, training, files."""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from rasa_tokprune import __version__
from rasa_tokprune.adaptation.corpus import Corpus
from rasa_tokprune.adaptation.student import Student
from rasa_tokprune.adaptation.training import AdapterTraining, TrainingSettings
from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.adapter import Adapter
from rasa_tokprune.encoder.backends import AUTO, Precision, is_fast_here
from rasa_tokprune.encoder.plans import resolve_plan
from rasa_tokprune.encoder.shared import resolve_device
from rasa_tokprune.encoder.stored import stored_path
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.evaluation.evaluate.embeddings import EmbeddingStore, embed_texts
from rasa_tokprune.evaluation.output_folder import make_folder

ADAPTER_FILE, PLAN_FILE = "adapter.safetensors", "plan.json"
HISTORY_FILE, STATE_FILE = "history.jsonl", "state.safetensors"
_HELD_OUT_SHARE = 0.03
_LEAST_TEXTS = 12


def run(arguments: argparse.Namespace) -> int:
    """Trains, writes the files and returns 0.

    Raises:
        TokPruneError: If the input is wrong, or training diverges.
    """
    settings = _settings(arguments)
    device = resolve_device(arguments.device)
    tasks = _tasks(arguments.task)
    # The teacher is the original model in full precision.
    teacher = load_encoder(arguments.model, backend="torch", device=device)
    plan = resolve_plan(arguments.prune, teacher.model.spec.n_layers)
    if plan.is_identity and not tasks:
        raise ConfigError(
            "--prune off without --task has nothing to learn: the encoder already is its teacher"
        )
    train, held_out = _read(arguments, tasks)
    folder: Path = arguments.out
    make_folder("--out", folder)
    precision = _precision(arguments.precision, device)
    about = _about(arguments, teacher, plan, train, settings, precision)
    student = Student(
        _folder(teacher),
        teacher.model.spec,
        plan,
        rank=arguments.rank,
        seed=settings.seed,
        device=device,
        precision=precision,
    )
    training = AdapterTraining(
        student,
        teacher.tokenize,
        _teach(teacher, [train, held_out], arguments.quiet),
        train,
        held_out,
        settings,
        identity=_identity(about, train, held_out),
    )
    changes = training.run(checkpoint=folder / STATE_FILE, show_progress=not arguments.quiet)
    name = arguments.name or folder.resolve().name
    _write(folder, Adapter(name, teacher.model.identity, changes, about), plan, training.history)
    print(_summary(training.history, folder))
    return 0


def _settings(arguments: argparse.Namespace) -> TrainingSettings:
    if arguments.rank < 1:
        raise ConfigError(f"--rank must be at least 1, got {arguments.rank}")
    if arguments.concatenations < 0:
        raise ConfigError(f"--concatenations must be at least 0, got {arguments.concatenations}")
    return TrainingSettings(
        steps=arguments.steps,
        batch_size=arguments.batch_size,
        learning_rate=arguments.learning_rate,
        un_pruned_share=arguments.un_pruned_share,
        seed=arguments.seed,
    )


def _tasks(given: Sequence[str]) -> Dict[str, Path]:
    tasks: Dict[str, Path] = {}
    for entry in given:
        name, equals, path = entry.partition("=")
        if not (name and equals and path) or name in tasks:
            raise ConfigError(f"--task must be NAME=FILE, each name once; got '{entry}'")
        tasks[name] = Path(path)
    return tasks


def _read(arguments: argparse.Namespace, tasks: Dict[str, Path]) -> Tuple[Corpus, Corpus]:
    """Returns what to train on and what to watch, each with long texts made of its own."""
    corpus = Corpus.read(arguments.texts, tasks)
    if len(corpus.texts) < _LEAST_TEXTS:
        raise ConfigError(
            f"{len(corpus.texts)} texts are too few to learn from; give at least {_LEAST_TEXTS}, "
            f"better some thousands, with --texts"
        )
    train, held_out = corpus.split(_HELD_OUT_SHARE, arguments.seed)
    n_long: int = arguments.concatenations
    return (
        train.with_concatenations(n_long, arguments.seed),
        held_out.with_concatenations(round(_HELD_OUT_SHARE * n_long), arguments.seed),
    )


def _precision(wanted: str, device: str) -> Precision:
    if wanted != AUTO:
        return Precision(wanted)
    is_fast = device != "cpu" or is_fast_here(Precision.BF16)
    return Precision.BF16 if is_fast else Precision.FP32


def _teach(teacher: Encoder, corpora: Sequence[Corpus], quiet: bool) -> Dict[str, np.ndarray]:
    texts = {text for corpus in corpora for text in corpus.texts}
    store = EmbeddingStore(stored_path("embeddings"))
    return embed_texts(teacher, sorted(texts), store, None if quiet else "Encoding by the teacher")


def _about(
    arguments: argparse.Namespace,
    teacher: Encoder,
    plan: PruningPlan,
    train: Corpus,
    settings: TrainingSettings,
    precision: Precision,
) -> Dict[str, str]:
    """Returns where an adapter comes from; no path of this machine."""
    is_folder = Path(arguments.model).expanduser().is_dir()
    tasks = [
        f"{name} ({len(task)} labels, {sum(map(len, task.values()))} texts)"
        for name, task in sorted(train.tasks.items())
    ]
    return {
        "model": _folder(teacher).resolve().name if is_folder else arguments.model,
        "made_with": f"rasa-tokprune {__version__}",
        "plan": plan.fingerprint(),
        "rank": str(arguments.rank),
        "precision": precision.value,
        "texts": str(len(train.texts)),
        "text_files": ", ".join(path.name for path in arguments.texts),
        "tasks": ", ".join(tasks),
        "settings": json.dumps(dataclasses.asdict(settings), sort_keys=True),
    }


def _identity(about: Dict[str, str], *corpora: Corpus) -> str:
    """Returns a hash of what decides the result: all but the names of files."""
    named = ("model", "text_files")
    content: List[Any] = [{key: value for key, value in about.items() if key not in named}]
    content += [[corpus.texts, corpus.tasks] for corpus in corpora]
    text = json.dumps(content, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _folder(encoder: Encoder) -> Path:
    if encoder.folder is None:
        raise ConfigError("the model has no folder to read weights from")
    return encoder.folder


def _write(
    folder: Path, adapter: Adapter, plan: PruningPlan, history: List[Dict[str, Any]]
) -> None:
    adapter.save(folder / ADAPTER_FILE)
    adapted = dataclasses.replace(
        plan, name=adapter.name, adapter=ADAPTER_FILE, provenance=adapter.provenance
    )
    adapted.save(folder / PLAN_FILE)
    lines = [json.dumps(entry) for entry in history]
    try:
        (folder / HISTORY_FILE).write_text("\n".join(lines) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(
            f"'{folder / HISTORY_FILE}' cannot be written: {error.strerror}"
        ) from error


def _summary(history: List[Dict[str, Any]], folder: Path) -> str:
    untrained, best = history[0], min(history, key=lambda entry: float(entry["held_out"]))
    if best is untrained:
        return (
            f"Training did not help: the held-out loss never fell below the {best['held_out']:.4f} "
            f"of no adapter. Give more texts, or lower --learning-rate."
        )
    return (
        f"Held-out loss {best['held_out']:.4f} after {best['step']} steps; "
        f"{untrained['held_out']:.4f} without an adapter.\n"
        f"To use it: set `prune: {folder / PLAN_FILE}` in config.yml and train."
    )
