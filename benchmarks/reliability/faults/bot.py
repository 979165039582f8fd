"""A small bot for trials: its folder, what trains it, what it answers."""

from __future__ import annotations

import json
import os
import tarfile
from pathlib import Path
from typing import Any, Dict, List, Optional

from benchmarks.tables import ROOT

MODELS = Path("models")
CACHE = "weights"  # what RASA_TOKPRUNE_CACHE names, in the bot's folder
MESSAGES = (
    "hello there",
    "where is my parcel?",
    "i want to send the grinder back",
    "my order never arrived and i am annoyed",
    "can you change the address please",
    "what is the meaning of life",
    "do you sell decaf",
    "cancel it",
    "thanks, bye",
    "talk to a human",
)
N_INTENTS = 8
_INTENT = "- intent:"
_CONFIG = """recipe: default.v1
assistant_id: faults
language: en
pipeline:
  - name: WhitespaceTokenizer
  - name: rasa_tokprune.TokPruneFeaturizer
  - name: rasa_tokprune.TokPruneIntentClassifier
  - name: FallbackClassifier
    threshold: 0.5
    ambiguity_threshold: 0.0
policies: []
"""
_MORE = """version: "3.1"
nlu:
  - intent: greet
    examples: |
      - ahoy crew
      - howdy neighbour
      - salutations to you
"""


def write_bot(folder: Path, *, config: str = "") -> None:
    """Writes the first intents of the example bot and a pipeline of this package.

    Args:
        folder: Is made.
        config: Lines for each of the package's components, such as `backend: onnx`.
    """
    data = folder / "data"
    data.mkdir(parents=True)
    messages = (ROOT / "example_bot" / "data" / "nlu.yml").read_text(encoding="utf-8")
    first = _INTENT.join(messages.split(_INTENT)[: N_INTENTS + 1])
    (data / "nlu.yml").write_text(first, encoding="utf-8")
    text = _CONFIG
    for name in ("TokPruneFeaturizer", "TokPruneIntentClassifier"):
        text = text.replace(f"{name}\n", f"{name}\n    {config}\n") if config else text
    (folder / "config.yml").write_text(text, encoding="utf-8")


def add_examples(folder: Path) -> None:
    """Gives a bot three more examples, so that training has something to do."""
    (folder / "data" / "more.yml").write_text(_MORE, encoding="utf-8")


def arguments_of_training(name: Optional[str] = None) -> List[str]:
    """Returns the command line, after `rasa`, that trains the bot of the working folder."""
    named = ["--fixed-model-name", name] if name else []
    return ["train", "nlu", "--nlu", "data", "--config", "config.yml", *named]


def train_here(name: Optional[str] = None) -> None:
    """Runs `rasa train nlu` in this process, in the working folder; ends it as the command does."""
    import sys

    from rasa.__main__ import main

    sys.argv = ["rasa", *arguments_of_training(name)]
    main()


def answers_here(archive: Path, out: Path) -> None:
    """Writes what a model answers to MESSAGES: intent and confidence of each, as JSON."""
    from rasa_tokprune.commands.trained_model.access import open_model

    with open_model(archive) as model:
        parses = model.parse(MESSAGES)
    answers = [[parse["intent"]["name"], parse["intent"]["confidence"]] for parse in parses]
    out.write_text(json.dumps(answers), encoding="utf-8")


def is_whole(archive: Path) -> bool:
    """Returns whether a model archive can be unpacked to its end and says what it is."""
    try:
        with tarfile.open(archive) as tar:
            return any(member.name.endswith("metadata.json") for member in tar.getmembers())
    except (OSError, EOFError, tarfile.TarError):
        return False


def files_of(folder: Path) -> Dict[str, bytes]:
    """Returns the files below a folder by their paths from it; nothing where there is none."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def archives(folder: Path) -> List[Path]:
    """Returns the model archives of a bot, oldest first."""
    return sorted((folder / MODELS).glob("*.tar.gz"), key=os.path.getmtime)


def variables(folder: Path) -> Dict[str, str]:
    """Returns the variables of a bot's processes: caches of its own, nothing downloaded."""
    return {
        "RASA_TOKPRUNE_CACHE": str(folder / CACHE),
        "TMPDIR": str(folder / "tmp"),
        "HF_HUB_OFFLINE": "1",
        "RASA_TELEMETRY_ENABLED": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "OMP_NUM_THREADS": "1",
    }


def read_answers(path: Path) -> Any:
    """Returns what `answers_here` wrote; None if it wrote nothing."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
