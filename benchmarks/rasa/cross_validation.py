"""Cross-validates pipelines on a published bot with `rasa test nlu`.

The bot's own pipeline runs as it is, less the components that need servers or models that are not
part of Rasa; ours is the intent classifier alone, with the bot's own FallbackClassifier.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rasa.processes import run_module
from benchmarks.rows import append_row, measured
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment

_NOT_PART_OF_RASA = ("DucklingEntityExtractor", "SpacyNLP", "SpacyEntityExtractor")


def own_pipeline(bot: Path) -> List[Dict[str, Any]]:
    """Returns a bot's pipeline without what needs other servers or models."""
    import rasa.shared.utils.io

    config = rasa.shared.utils.io.read_config_file(bot / "config.yml")
    return [c for c in config["pipeline"] if c["name"] not in _NOT_PART_OF_RASA]


def cross_validate(bot: Path, pipeline: List[Dict[str, Any]]) -> Dict[str, Any]:
    """Returns 5-fold accuracy and weighted F1 of a pipeline on a bot's NLU data."""
    import rasa.shared.utils.io

    config = rasa.shared.utils.io.read_config_file(bot / "config.yml")
    config["pipeline"] = pipeline
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        rasa.shared.utils.io.write_yaml(config, work / "config.yml")
        data = ["--nlu", str((bot / "data").resolve()), "--domain", str(bot.resolve())]
        run_module("rasa", ["test", "nlu", "--cross-validation", "--no-plot", *data], work)
        report = json.loads((work / "results" / "intent_report.json").read_text())
    return {
        "accuracy": report["accuracy"],
        "f1": report["weighted avg"]["f1-score"],
        "n": report["weighted avg"]["support"],
    }


def run(arguments: argparse.Namespace) -> None:
    """Measures both pipelines."""
    if not (arguments.bot / "config.yml").is_file():
        raise ConfigError(f"'{arguments.bot}' is no bot: it has no config.yml")
    own = own_pipeline(arguments.bot)
    fallback = [c for c in own if c["name"] == "FallbackClassifier"]
    ours = [{"name": "rasa_tokprune.TokPruneIntentClassifier"}, *fallback]
    done = measured(arguments.out, "pipeline")
    for name, pipeline in (("own (DIET)", own), ("TokPruneIntentClassifier", ours)):
        if (name,) not in done:
            row = {"pipeline": name, **cross_validate(arguments.bot, pipeline)}
            append_row({**row, "environment": environment()}, arguments.out)


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "financial_demo.jsonl", is_resumed=True)
    made.add_argument("bot", type=Path, help="folder of RasaHQ/financial-demo, or of another bot")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), run, arguments)


if __name__ == "__main__":
    sys.exit(main())
