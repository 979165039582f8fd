"""One pipeline, trained and tested with one message after another."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Mapping, Optional

from benchmarks.rasa.processes import run_module
from rasa_tokprune.commands.evaluate.predictions import Predictions
from rasa_tokprune.texts.tasks import Task


@dataclasses.dataclass(frozen=True)
class Trial:
    """What was measured.

    Attributes:
        train_s: Seconds of `rasa train nlu`, start-up and imports included.
        model_mb: Size of the model archive.
        parsed: Number of messages, accuracy, milliseconds of a message.
        predictions: Every answer.
    """

    train_s: float
    model_mb: float
    parsed: Dict[str, Any]
    predictions: Predictions


def run_trial(task: Task, config: Mapping[str, Any], domain: Optional[Path] = None) -> Trial:
    """Trains and tests a pipeline in an empty folder, each as a process of its own.

    Args:
        task: Training data, test messages, perhaps out-of-scope messages.
        config: Content of config.yml.
        domain: Response texts are needed where there are retrieval intents; None is no domain.

    Raises:
        RasaProcessError: If training or parsing fails.
    """
    import rasa.shared.utils.io

    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        rasa.shared.utils.io.write_yaml(dict(config), work / "config.yml")
        train = ["train", "nlu", "--config", "config.yml", "--fixed-model-name", "model"]
        train += ["--nlu", str(task.train.resolve()), "--out", "models"]
        if domain is not None:
            shutil.copy(domain, work / "domain.yml")
            train += ["--domain", "domain.yml"]
        start = time.perf_counter()
        run_module("rasa", train, work)
        train_s = time.perf_counter() - start
        model = work / "models" / "model.tar.gz"
        parse = [str(model), str(task.test.resolve()), "--predictions", "predictions.json"]
        if task.oos is not None:
            parse += ["--oos", str(task.oos.resolve())]
        output = run_module("benchmarks.rasa.parse_messages", parse, work)
        return Trial(
            train_s=train_s,
            model_mb=model.stat().st_size / 1e6,
            parsed=json.loads(output.splitlines()[-1]),
            predictions=Predictions(**json.loads((work / "predictions.json").read_text())),
        )
