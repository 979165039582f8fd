"""Answers with models of version 0.2, and with one model on every CPU path; writes models.jsonl.

The sources of version 0.2 are taken from this repository's history. They train the example bot
in a process of their own and answer messages; the package as it is answers with the same archive,
and has to answer the same. Then one model of today answers by each build of the C library that
this CPU can run, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence

from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.rasa.processes import run_module
from benchmarks.reliability.serving.bot import EXAMPLE_BOT, bot_messages, train_bot, varied
from benchmarks.rows import Row, append_row
from benchmarks.tables import ROOT
from rasa_tokprune.encoder.backends.builds import CPU_VARIABLE, runnable_builds
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.environment import environment

OLD_COMMIT = "c612c573bd98b2aa0caeb38e29f52569a00ac7ac"  # "Changelog of 0.2.0"
_N_MESSAGES = 300
# Asked in a process of its own: archive, file of messages, where to write the answers.
_ANSWER = """
import asyncio, json, sys
from rasa.core.agent import Agent
import rasa_tokprune
archive, texts, out = sys.argv[1:]
agent = Agent.load(archive)
async def ask():
    return [await agent.parse_message(text) for text in json.load(open(texts, encoding="utf-8"))]
parsed = asyncio.run(ask())
answers = [[each["intent"]["name"], each["intent"]["confidence"]] for each in parsed]
json.dump([rasa_tokprune.__file__, answers], open(out, "w", encoding="utf-8"))
"""


def old_sources(folder: Path, commit: str = OLD_COMMIT) -> Path:
    """Writes package and example bot of an earlier commit below a folder; returns the folder.

    Raises:
        ConfigError: If git does not have the commit.
    """
    archive = folder / "old.tar"
    command = ["git", "archive", "--output", str(archive), commit, "rasa_tokprune", "example_bot"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if ended.returncode:
        raise ConfigError(f"git has no commit {commit[:7]}: {ended.stderr.strip()}; clone it whole")
    with tarfile.open(archive) as tar:
        tar.extractall(folder / "old", filter="data")
    return folder / "old"


def answers_of(
    archive: Path,
    texts: Sequence[str],
    sources: Path = ROOT,
    variables: Optional[Mapping[str, str]] = None,
) -> List[Any]:
    """Returns intent and confidence of each message, by the package in `sources`."""
    with tempfile.TemporaryDirectory() as temporary:
        asked, out = Path(temporary) / "texts.json", Path(temporary) / "answers.json"
        asked.write_text(json.dumps(list(texts)), encoding="utf-8")
        settings = {
            "PYTHONPATH": str(sources), "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore",
            "HF_HUB_OFFLINE": "1", "RASA_TELEMETRY_ENABLED": "false", **(variables or {}),
        }  # fmt: skip
        command = [sys.executable, "-c", _ANSWER, str(archive), str(asked), str(out)]
        ended = subprocess.run(
            command, cwd=temporary, env={**os.environ, **settings}, capture_output=True, text=True
        )
        if ended.returncode:
            raise ConfigError(f"'{archive.name}' does not answer: {ended.stderr[-1000:]}")
        module, answers = json.loads(out.read_text(encoding="utf-8"))
        if not Path(module).is_relative_to(sources):
            raise ConfigError(f"answered by '{module}', not by the package in '{sources}'")
        found: List[Any] = answers
        return found


def compared(expected: Sequence[Any], found: Sequence[Any]) -> Row:
    """Returns in how many messages intent or confidence differ, and by how much at most."""
    return {
        "n": len(expected),
        "other_intent": sum(one[0] != other[0] for one, other in zip(expected, found)),
        "largest": max(
            abs(one[1] - other[1]) for one, other in zip(expected, found) if one[0] == other[0]
        ),
        "other_action": sum(_acts(one) != _acts(other) for one, other in zip(expected, found)),
    }


def _acts(answer: Sequence[Any]) -> Optional[str]:
    """Returns the intent a bot follows: none below one half, which is its fallback."""
    name, confidence = answer
    return None if confidence < 0.5 else str(name)


def _train_old(sources: Path, config: str) -> Path:
    bot = sources / "example_bot"
    name = Path(config).stem
    run_module(
        "rasa",
        ["train", "--config", config, "--out", str(sources / name), "--fixed-model-name", "model"],
        bot,
        {"PYTHONPATH": str(sources), "HF_HUB_OFFLINE": "1"},
    )
    return sources / name / "model.tar.gz"


def old_models(folder: Path, texts: Sequence[str], configs: Sequence[str]) -> List[Row]:
    """Returns a row for each configuration of version 0.2: what answers differ today."""
    sources = old_sources(folder)
    rows = []
    for config in configs:
        archive = _train_old(sources, config)
        expected = answers_of(archive, texts, sources)
        found = answers_of(archive, texts)
        rows.append({"kind": "model of 0.2", "path": config, **compared(expected, found)})
    return rows


def paths(folder: Path, texts: Sequence[str]) -> List[Row]:
    """Returns a row for each CPU path but the fastest: it answers with that one's model, and back.

    Raises:
        ConfigError: If this CPU can run no build of the C library.
    """
    if not (builds := list(runnable_builds())):
        raise ConfigError("no build of the C library is here that this CPU can run")
    archive = train_bot(folder)
    fastest, *others = builds
    expected = answers_of(archive, texts)
    rows = []
    for name in others:
        found = answers_of(archive, texts, variables={CPU_VARIABLE: name})
        about = {"kind": "CPU path", "trained_on": fastest, "path": name}
        rows.append({**about, **compared(expected, found)})
    trained = {name: _trained_on(folder, name) for name in others}
    for name, other in trained.items():
        own = answers_of(other, texts, variables={CPU_VARIABLE: name})
        about = {"kind": "CPU path", "trained_on": name, "path": fastest}
        rows.append({**about, **compared(own, answers_of(other, texts))})
    return rows


def _trained_on(folder: Path, path: str) -> Path:
    """Trains the bot by another build of the C library; returns the archive."""
    bot = folder / path
    shutil.copytree(EXAMPLE_BOT, bot, ignore=shutil.ignore_patterns("models", ".rasa"))
    variables: Mapping[str, str] = {CPU_VARIABLE: path, "HF_HUB_OFFLINE": "1"}
    run_module("rasa", ["train", "nlu", "--fixed-model-name", "model"], bot, variables)
    return bot / "models" / "model.tar.gz"


def measure(arguments: argparse.Namespace) -> None:
    """Compares answers of old models and of each CPU path; rows are written at the end of each."""
    arguments.out.unlink(missing_ok=True)
    texts = varied(bot_messages(), arguments.messages)
    with tempfile.TemporaryDirectory() as temporary:
        parts: Dict[str, Any] = {
            "models of 0.2": lambda: old_models(
                Path(temporary), texts, ["config.yml", "config_featurizer.yml"]
            ),
            "CPU paths": lambda: paths(Path(temporary), texts),
        }
        for name in tqdm(parts, desc="Models"):
            for row in parts[name]():
                append_row({**row, "environment": environment()}, arguments.out)
                tqdm.write(f"{name}, {row['path']}: {row['other_action']} of {row['n']} differ")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "models.jsonl")
    made.add_argument("--messages", type=int, default=_N_MESSAGES, help=f"default: {_N_MESSAGES}")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
