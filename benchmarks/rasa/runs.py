"""Measures whole Rasa pipelines, pruned and un-pruned: trained, then tested.

Pin it to one core (`taskset -c 0 ...`) for steady times; two of them, with different --configs, may
then share a machine and the output file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional, Sequence, Tuple

from tqdm import tqdm

from benchmarks.command import add_tasks, measuring_parser, run_measuring, tasks_of
from benchmarks.rasa.trial import run_trial
from benchmarks.rows import append_row, measured
from benchmarks.tables import ROOT
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.tasks import Task

SEED_QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5)
CONFIGS = ("config.yml", "config_featurizer.yml", "config_diet.yml")


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


def config_with(path: Path, keys: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns the content of a config.yml, with keys in this package's components."""
    import rasa.shared.utils.io

    config: Dict[str, Any] = rasa.shared.utils.io.read_config_file(path)
    for component in config["pipeline"]:
        if component["name"].startswith("rasa_tokprune."):
            component.update(keys)
    return config


def measure(tasks: Sequence[Task], bot: Path, configs: Sequence[str], out: Path) -> None:
    """Runs everything that `out` does not hold yet and appends it there.

    Args:
        tasks: Training and test data.
        bot: Folder with the configs, and with a domain for the texts of its responses.
        configs: Their names.
        out: File of rows.
    """
    done = measured(out, "task", "config", "prune")
    todo = [
        (task, config, label, keys)
        for task in tasks
        for config in configs
        for label, keys in variants(config)
        if (task.name, config, label) not in done
    ]
    for task, config, label, keys in tqdm(todo, desc="Rasa runs"):
        trial = run_trial(task, config_with(bot / config, keys), bot / "domain.yml")
        row = {"task": task.name, "config": config, "prune": label, "keys": keys}
        row.update(train_s=trial.train_s, model_mb=trial.model_mb, **trial.parsed)
        append_row({**row, "environment": {**environment(), "batch_size": 1}}, out)


def run(arguments: argparse.Namespace) -> None:
    """Measures what the command line asks for."""
    measure(tasks_of(arguments.task), arguments.bot, arguments.configs, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "runs.jsonl", is_resumed=True)
    add_tasks(made)
    made.add_argument(
        "--bot",
        type=Path,
        default=ROOT / "example_bot",
        help="folder with the three configs and domain.yml; default: example_bot",
    )
    made.add_argument("--configs", nargs="+", choices=CONFIGS, default=CONFIGS)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
