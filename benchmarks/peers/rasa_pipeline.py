"""A Rasa pipeline: `rasa train nlu`, then messages through the trained model."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, List, Mapping, Sequence

from benchmarks.peers.interface import Answer

_MODEL = "model"


class RasaPipeline:
    """Trains with Rasa's own command, answers as its server does, but without HTTP."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        """Takes the key `pipeline`, as in config.yml."""
        self._config = {
            "recipe": "default.v1",
            "assistant_id": "peers",
            "language": "en",
            "pipeline": settings["pipeline"],
        }
        self._agent: Any = None
        self._loop: Any = None

    def fit(self, texts: Sequence[str], labels: Sequence[str], folder: Path) -> None:
        """Runs `rasa train nlu`.

        Raises:
            RuntimeError: If it fails; with the end of what it printed.
        """
        (folder / "config.yml").write_text(json.dumps(self._config), encoding="utf-8")
        (folder / "nlu.yml").write_text(training_data(texts, labels), encoding="utf-8")
        options = ["--config", "config.yml", "--nlu", "nlu.yml", "--out", "models"]
        result = subprocess.run(
            [sys.executable, "-m", "rasa", "train", "nlu", *options, "--fixed-model-name", _MODEL],
            cwd=folder,
            capture_output=True,
            text=True,
            env={**os.environ, "RASA_TELEMETRY_ENABLED": "false"},
        )
        if result.returncode != 0 or not self._archive(folder).is_file():
            raise RuntimeError(f"rasa train nlu failed: {(result.stdout + result.stderr)[-2000:]}")

    def load(self, folder: Path) -> None:
        """Loads the model archive."""
        from rasa.core.agent import Agent

        self._agent = Agent.load(str(self._archive(folder)))
        self._loop = asyncio.new_event_loop()

    def answer(self, text: str) -> Answer:
        """Returns the classifier's own intent and confidence: a fallback is undone."""
        from rasa.nlu.classifiers.fallback_classifier import (
            is_fallback_classifier_prediction,
            undo_fallback_prediction,
        )

        result = self._loop.run_until_complete(self._agent.parse_message(text))
        if is_fallback_classifier_prediction(result):
            result = undo_fallback_prediction(result)  # as `rasa test nlu` does
        return result["intent"]["name"], float(result["intent"]["confidence"])

    def _archive(self, folder: Path) -> Path:
        return folder / "models" / f"{_MODEL}.tar.gz"


def training_data(texts: Sequence[str], labels: Sequence[str]) -> str:
    """Returns examples as Rasa's training data.

    A text with a line break would be two examples, so breaks become blanks.
    """
    by_label: dict[str, List[str]] = {}
    for text, label in zip(texts, labels):
        by_label.setdefault(label, []).append(" ".join(text.split()))
    # Rasa knows its files by keys at the start of a line. What JSON quotes is quoted in YAML, too.
    lines = ['version: "3.1"', "nlu:"]
    for label, own in by_label.items():
        lines.append(f"- intent: {json.dumps(label, ensure_ascii=False)}")
        examples = "".join(f"- {text}\n" for text in own)
        lines.append(f"  examples: {json.dumps(examples, ensure_ascii=False)}")
    return "\n".join(lines) + "\n"


def build(settings: Mapping[str, Any]) -> RasaPipeline:
    """Returns the peer."""
    return RasaPipeline(settings)
