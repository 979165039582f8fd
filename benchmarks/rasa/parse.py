"""Times `rasa-tokprune parse` on a log of thousands of different messages.

The example bot is trained with our classifier alone, once for each plan, and with its own
config.yml. The log is made of messages of other bots that nothing is measured against: their
training and adaptation splits.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.machine import check_threads, started_on, thread_variables
from benchmarks.rasa.processes import run_module, train_nlu
from benchmarks.rows import RowStore
from benchmarks.tables import ROOT
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment, usable_cores
from rasa_tokprune.texts.tasks import read_examples

OWN = "config.yml"
PLANS = ("off", "light", "fast")
PIPELINES = (*PLANS, OWN)
_LOG_FILES = (
    "banking77/train_10shot.yml", "banking77/adapt.yml", "clinc150/train_5shot.yml",
    "clinc150/adapt.yml",
)  # fmt: skip
_N_MESSAGES = 5000
_BOT = ROOT / "example_bot"


def log_of(data: Path) -> List[str]:
    """Returns the different messages of the log, in the order of the files.

    Args:
        data: Folder of the tasks, see benchmarks/README.md.

    Raises:
        ConfigError: If a file is missing.
    """
    texts = dict.fromkeys(text for name in _LOG_FILES for text in read_examples(data / name)[0])
    return [text for text in texts if text.strip() and len(text.splitlines()) == 1][:_N_MESSAGES]


def train(pipeline: str, folder: Path) -> Path:
    """Returns the model of the example bot with one of PIPELINES, trained in an empty folder.

    Raises:
        RasaProcessError: If training fails.
    """
    import rasa.shared.utils.io

    config: Dict[str, Any] = rasa.shared.utils.io.read_config_file(_BOT / OWN)
    if pipeline != OWN:
        config["pipeline"] = [{"name": "rasa_tokprune.TokPruneIntentClassifier", "prune": pipeline}]
    folder.mkdir()
    rasa.shared.utils.io.write_yaml(config, folder / OWN)
    shutil.copy(_BOT / "domain.yml", folder / "domain.yml")
    train_nlu(folder, _BOT / "data", len(usable_cores()))
    return folder / "models" / "model.tar.gz"


def measure(
    models: Dict[str, Path], log: Path, threads: int, repetitions: int
) -> List[Dict[str, Any]]:
    """Returns the rows of all pipelines on so many cores.

    Raises:
        RasaProcessError: If a model cannot be asked.
    """
    named = [f"{name}={path}" for name, path in models.items()]
    options = ["--log", str(log), "--repetitions", str(repetitions)]
    with started_on(usable_cores()[:threads]):
        printed = run_module(
            "benchmarks.rasa.parse_log", [*named, *options], log.parent, thread_variables(threads)
        )
    rows = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return [{**row, "threads": threads} for row in rows]


def run(arguments: argparse.Namespace) -> None:
    """Trains, measures and writes the rows, those of each number of cores when they are there."""
    for threads in arguments.threads:
        check_threads(threads)
    if arguments.repetitions < 1:
        raise ConfigError(f"--repetitions must be a number from 1, got {arguments.repetitions}")
    texts = log_of(arguments.data)
    about = {"environment": environment(), "load_average": round(os.getloadavg()[0], 2)}
    store = RowStore(arguments.out)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        log = work / "log.txt"
        log.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        steps = tqdm(PIPELINES, desc="Training")
        models = {name: train(name, work / f"bot_{name}") for name in steps}
        for threads in tqdm(arguments.threads, desc="Parsing, by threads"):
            rows = measure(models, log, threads, arguments.repetitions)
            store.add({**row, **about} for row in rows)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "parse.jsonl")
    made.add_argument("data", type=Path, help="folder of the tasks; see benchmarks/README.md")
    made.add_argument(
        "--threads", type=int, nargs="+", default=[1, 2], help="cores to run on; default: 1 2"
    )
    made.add_argument("--repetitions", type=int, default=2, help="of each measurement; default: 2")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
