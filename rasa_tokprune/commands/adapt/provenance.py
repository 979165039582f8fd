"""What is written down of a training: its data, its settings, how it went."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

from rasa_tokprune.commands.adapt.corpus import Corpus
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.files import hash_files, is_folder

History = List[Dict[str, Any]]


def describe_tasks(tasks: Mapping[str, Mapping[str, Sequence[str]]]) -> str:
    """Returns names and sizes of tasks, in one line."""
    return ", ".join(
        f"{name} ({len(task)} labels, {sum(map(len, task.values()))} texts)"
        for name, task in sorted(tasks.items())
    )


def stage_looks(history: History) -> List[Tuple[Dict[str, Any], Dict[str, Any]]]:
    """Returns the first and the best look of each stage; losses of two stages are not alike.

    A training gives out the changes of the best look of its last stage.
    """
    found = []
    for stage in dict.fromkeys(entry["stage"] for entry in history):
        own = [entry for entry in history if entry["stage"] == stage]
        best = max(own, key=lambda entry: float(entry.get("judged", -entry["held_out"])))
        found.append((own[0], best))
    return found


def improvement(history: History) -> str:
    """Returns what each stage of a training brought, in one line."""
    name = "judged" if "judged" in history[0] else "held_out"
    return "; ".join(
        f"{first['stage']}: {name} {first[name]:.4f} before, {best[name]:.4f} after"
        for first, best in stage_looks(history)
    )


def folder_of(encoder: Encoder) -> Path:
    """Returns the checkpoint of an encoder.

    Raises:
        ConfigError: If it was made of none.
    """
    if encoder.folder is None:
        raise ConfigError("the model has no folder to read weights from")
    return encoder.folder


def name_of(model: str, encoder: Encoder) -> str:
    """Returns a model's hub id, or the name of its folder: no path of this machine."""
    return folder_of(encoder).resolve().name if is_folder(model) else model


def training_identity(
    teacher: Encoder, about: Mapping[str, str], corpora: Sequence[Corpus], judges: Sequence[Path]
) -> str:
    """Returns a hash of what decides a training's result: all but the names of files.

    Args:
        teacher: The student's encoder.
        about: What is written down of the training.
        corpora: What is learned from and what is held out.
        judges: Files of the sets that judge.
    """
    named = ("model", "text_files")
    values = {key: value for key, value in about.items() if key not in named}
    content: List[Any] = [teacher.model.identity, values]
    content += [[corpus.texts, corpus.tasks] for corpus in corpora]
    content.append(hash_files([str(path) for path in judges]))
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
