"""Runs the steps of example_bot/deploy/github-workflow.yml as GitHub's runner does.

Two pull requests of a bot: one that changes nothing, and one that takes two intents for each other,
which the gates have to stop after the comment was written. `gh` is a program that keeps it; what
checks out, sets up Python and keeps files is GitHub's own and is left out.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence

from ruamel.yaml import YAML
from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.operations.wheels import ENVIRONMENT, build_wheel
from benchmarks.reliability.serving.bot import (
    EXAMPLE_BOT,
    MODEL,
    add_work,
    bot_messages,
    train_bot,
    work_folder,
)
from benchmarks.rows import Row, append_row
from rasa_tokprune.errors import ConfigError

WORKFLOW = EXAMPLE_BOT / "deploy" / "github-workflow.yml"
SUCCESS, FAILURE, SKIPPED = "success", "failure", "skipped"
CASES = ("nothing changed", "two intents taken for each other")
_SWAPPED = ("track_order", "opening_hours")
_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
_SHOWN = 2000
# What a run of it knows; outcomes of steps come as they are made.
_CONTEXT = {
    "github.ref": "refs/pull/7/merge",
    "github.repository": "owner/bot",
    "github.event.pull_request.head.repo.full_name": "owner/bot",
    "github.event.pull_request.number": "7",
    "github.token": "none",
}
# Keeps the file of a comment, and fails at other commands.
_GH = """#!/bin/sh
[ "$1 $2 $3 $4 $5 $6" = "pr comment 7 --edit-last --create-if-none --body-file" ] &&
cp "$7" posted.md
"""


@dataclasses.dataclass(frozen=True)
class Ended:
    """A step that was reached.

    Attributes:
        name: Of the step.
        outcome: SUCCESS, FAILURE or SKIPPED.
        seconds: It took.
        printed: The end of what it printed, if it failed.
        stops: Whether the job fails with it.
    """

    name: str
    outcome: str
    seconds: float = 0.0
    printed: str = ""
    stops: bool = False


def workflow() -> Dict[str, Any]:
    """Returns the workflow, every value a text."""
    # Rasa has the safe loader fill in what begins with a dollar sign.
    found: Dict[str, Any] = YAML(typ="base").load(WORKFLOW.read_text(encoding="utf-8"))
    return found


def filled(text: str, context: Mapping[str, str]) -> str:
    """Returns a text with the values of its expressions.

    Raises:
        ConfigError: If one is not known.
    """
    unknown = set(_EXPRESSION.findall(text)) - set(context)
    if unknown:
        raise ConfigError(f"expressions of the workflow that are not known: {sorted(unknown)}")
    return _EXPRESSION.sub(lambda found: context[found[1]], text)


def holds(condition: str, context: Mapping[str, str]) -> bool:
    """Returns whether one of the comparisons of an `if:` is true; they are joined by ||."""

    def value(text: str) -> str:
        text = text.strip()
        return text.strip("'") if text.startswith("'") else context[text]

    sides = [each.split("==") for each in condition.split("||")]
    return any(value(left) == value(right) for left, right in sides)


def steps(folder: Path, search: str, leave_out: Sequence[str] = ()) -> Iterator[Ended]:
    """Runs the steps that are shell, in order, and yields how each ended.

    Args:
        folder: The repository.
        search: $PATH.
        leave_out: Names of steps that are not run.
    """
    content = workflow()
    (job,) = content["jobs"].values()
    context, has_failed = dict(_CONTEXT), False
    around = {**os.environ, **content["env"], "PATH": search}
    if "Install" not in leave_out:  # what was installed is tried, not this repository
        around.pop("PYTHONPATH", None)
    for step in job["steps"]:
        name = step.get("name", step.get("uses", ""))
        if "run" not in step or name in leave_out:
            continue
        if has_failed or not holds(step.get("if", "'' == ''"), context):
            yield Ended(name, SKIPPED)
            continue
        own = {key: filled(value, context) for key, value in step.get("env", {}).items()}
        start = time.perf_counter()
        ended = subprocess.run(
            ["bash", "--noprofile", "--norc", "-e", "-c", filled(step["run"], context)],
            cwd=folder, env={**around, **own}, capture_output=True, text=True,
        )  # fmt: skip
        outcome = FAILURE if ended.returncode else SUCCESS
        stops = outcome == FAILURE and step.get("continue-on-error") != "true"
        has_failed = has_failed or stops
        context[f"steps.{step.get('id')}.outcome"] = outcome
        printed = (ended.stdout + ended.stderr).replace(str(folder), ".")[-_SHOWN:]
        said = printed if outcome == FAILURE else ""
        yield Ended(name, outcome, time.perf_counter() - start, said, stops)


def repository(folder: Path, archive: Path, case: str) -> None:
    """Lays out a bot's repository as the head of the workflow asks."""
    shutil.copytree(archive.parent, folder, ignore=shutil.ignore_patterns(MODEL, "deploy"))
    production = folder / "production"
    production.mkdir()
    shutil.copy(archive, production / "model.tar.gz")
    log = "".join(f"{text}\n" for text in bot_messages())
    (production / "log.txt").write_text(log, encoding="utf-8")
    if case == CASES[1]:
        data = folder / "data" / "nlu.yml"
        one, other = (f"- intent: {name}\n" for name in _SWAPPED)
        text = data.read_text(encoding="utf-8")
        swapped = text.replace(one, "\0").replace(other, one).replace("\0", other)
        data.write_text(swapped, encoding="utf-8")


def run(folder: Path, archive: Path, case: str, installs: bool) -> Row:
    """Returns what came of one pull request.

    Args:
        folder: Where the repository is made; must not exist.
        archive: The model in use, beside its bot's files.
        case: One of CASES.
        installs: Whether the package is installed into an environment of its own, as the workflow
            does, or the environment that this runs in is taken.
    """
    repository(folder, archive, case)
    programs = folder / ".programs"
    programs.mkdir()
    gh = programs / "gh"
    gh.write_text(_GH, encoding="utf-8")
    gh.chmod(gh.stat().st_mode | stat.S_IXUSR)
    python = Path(sys.executable).parent
    if installs:
        build_wheel(folder / "wheels")
        subprocess.run([sys.executable, "-m", "venv", str(folder / ".venv")], check=True)
        python = folder / ".venv" / "bin"
    search = os.pathsep.join([str(programs), str(python), os.environ["PATH"]])
    ended = list(steps(folder, search, () if installs else ("Install",)))
    around = {**os.environ, **({"PYTHONPATH": ""} if installs else {})}
    asked = subprocess.run(
        [str(python / "python"), "-c", ENVIRONMENT],
        cwd=folder, env=around, check=True, capture_output=True, text=True,
    )  # fmt: skip
    comment = folder / "posted.md"
    return {
        "kind": "workflow",
        "case": case,
        "installs": installs,
        "steps": [dataclasses.asdict(each) for each in ended],
        "conclusion": FAILURE if any(each.stops for each in ended) else SUCCESS,
        "comment": comment.read_text(encoding="utf-8") if comment.is_file() else "",
        "environment": json.loads(asked.stdout),
    }


def measure(arguments: argparse.Namespace) -> None:
    """Runs both pull requests; rows are written as they come."""
    arguments.out.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = work_folder(arguments, Path(temporary))
        archive = train_bot(work)
        for number, case in enumerate(tqdm(CASES, desc="Pull requests")):
            row = run(Path(temporary) / f"pull-{number}", archive, case, installs=True)
            append_row(row, arguments.out)
            outcomes: List[str] = [f"{each['name']} {each['outcome']}" for each in row["steps"]]
            tqdm.write(f"{case}: {row['conclusion']} ({', '.join(outcomes)})")


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "workflow.jsonl")
    add_work(made)
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
