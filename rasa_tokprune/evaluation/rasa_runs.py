r"""Trains and tests whole Rasa pipelines, pruned and un-pruned; writes raw JSON lines.

    python -m rasa_tokprune.evaluation.rasa_runs --out docs/data/rasa_runs.jsonl \
        --task example_bot example_bot example_bot/data example_bot/tests/test_nlu.yml \
        --task banking77_5shot example_bot train_5shot.yml test.yml

Pin it to one core (`taskset -c 0 ...`) for steady times; two of them, with different --configs, may
then share a machine and the output file.

Every run is `rasa train nlu` in an empty folder, as a process of its own (start-up and
imports included in its time), then one message after another through the trained model. Runs
that the output file already holds are skipped, so a stopped measurement resumes.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence, Tuple

from tqdm import tqdm

from rasa_tokprune.evaluation.bench.machine import environment

SEED_QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5)
CONFIGS = ("config.yml", "config_featurizer.yml", "config_diet.yml")


@dataclasses.dataclass(frozen=True)
class Task:
    """One bot: a folder with configs, training data, test data."""

    name: str
    bot: Path
    train: Path
    test: Path


def variants(config: str) -> Iterator[Tuple[str, Dict[str, Any]]]:
    """Yields (label, component keys) to measure for a config.

    The seed's quantiles prune as arXiv 2408.11799 does: tokens are dropped, here after layer 1.
    The intent classifier is also measured with the same quantiles frozen.
    """
    if config == "config_diet.yml":
        yield "none", {}
        return
    yield "off", {"prune": "off"}
    if config == "config.yml":
        yield "default", {}
    for quantile in SEED_QUANTILES:
        yield f"drop {quantile}", {"prune": "paper", "quantile": quantile}
    if config == "config.yml":
        for quantile in SEED_QUANTILES:
            keys = {"prune": "paper", "quantile": quantile, "prune_mode": "freeze"}
            yield f"freeze {quantile}", keys


def run(task: Task, config: str, keys: Mapping[str, Any]) -> Dict[str, Any]:
    """Trains and tests one pipeline and returns the measurement."""
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _write_config(task.bot / config, work / "config.yml", keys)
        # Response texts are needed where the bot has retrieval intents.
        shutil.copy(task.bot / "domain.yml", work / "domain.yml")
        train = ["train", "nlu", "--config", "config.yml", "--fixed-model-name", "model"]
        train += ["--nlu", str(task.train.resolve()), "--domain", "domain.yml"]
        start = time.perf_counter()
        call([*train, "--out", "models"], work)
        train_s = time.perf_counter() - start
        model = work / "models" / "model.tar.gz"
        parse = [str(model), str(task.test.resolve())]
        output = call(parse, work, module="rasa_tokprune.evaluation.parse_messages")
        measured = json.loads(output.splitlines()[-1])
        return {"train_s": train_s, "model_mb": model.stat().st_size / 1e6, **measured}


def _write_config(source: Path, target: Path, keys: Mapping[str, Any]) -> None:
    import rasa.shared.utils.io

    config = rasa.shared.utils.io.read_config_file(source)
    for component in config["pipeline"]:
        if component["name"].startswith("rasa_tokprune."):
            component.update(keys)
    rasa.shared.utils.io.write_yaml(config, target)


def call(arguments: List[str], folder: Path, module: str = "rasa") -> str:
    """Runs a Python module as a process of its own and returns what it printed."""
    command = [sys.executable, "-m", module, *arguments]
    settings = {"RASA_TELEMETRY_ENABLED": "false", "PYTHONWARNINGS": "ignore"}
    result = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={**os.environ, **settings}
    )
    if result.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed:\n{result.stdout}\n{result.stderr}")
    return result.stdout


def measure(tasks: Sequence[Task], configs: Sequence[str], out: Path) -> None:
    """Runs everything that `out` does not hold yet and appends it there."""
    done = set()
    if out.is_file():
        rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
        done = {(row["task"], row["config"], row["prune"]) for row in rows}
    todo = [
        (task, config, label, keys)
        for task in tasks
        for config in configs
        for label, keys in variants(config)
        if (task.name, config, label) not in done
    ]
    out.parent.mkdir(parents=True, exist_ok=True)
    for task, config, label, keys in tqdm(todo, desc="Rasa runs"):
        row = {"task": task.name, "config": config, "prune": label, "keys": keys}
        row.update(run(task, config, keys), environment={**environment(), "batch_size": 1})
        with out.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def main() -> None:
    """Parses the command line and measures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--task",
        nargs=4,
        action="append",
        required=True,
        metavar=("NAME", "BOT", "TRAIN", "TEST"),
        help="name, folder with the three configs and domain.yml, training data, test data",
    )
    parser.add_argument("--configs", nargs="+", choices=CONFIGS, default=CONFIGS)
    arguments = parser.parse_args()
    tasks = [Task(name, *map(Path, paths)) for name, *paths in arguments.task]
    measure(tasks, arguments.configs, arguments.out)


if __name__ == "__main__":
    main()
