"""The workflow for a bot's repository calls commands as they are."""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
from typing import Any, Dict, Iterator, List

import pytest
from ruamel.yaml import YAML

from rasa_tokprune import cli
from tests.real_data import ROOT

WORKFLOW = ROOT / "example_bot" / "deploy" / "github-workflow.yml"
# What GitHub puts in before a shell sees it.
_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")


def job() -> Dict[str, Any]:
    # Rasa has the safe loader fill in what begins with a dollar sign.
    content = YAML(typ="base").load(WORKFLOW.read_text(encoding="utf-8"))
    assert set(content) == {"name", "on", "permissions", "concurrency", "env", "jobs"}
    (found,) = content["jobs"].values()
    return dict(found)


def scripts() -> Iterator[str]:
    """Yields what the shell of every step runs."""
    for step in job()["steps"]:
        if "run" in step:
            yield step["run"]


def calls(program: str) -> Iterator[List[str]]:
    """Yields the arguments of every call of a program."""
    for script in scripts():
        for line in script.splitlines():
            words = shlex.split(_EXPRESSION.sub("x", line).split(">")[0])
            if words[:1] == [program]:
                yield words[1:]


@pytest.mark.parametrize("script", list(scripts()))
def test_every_step_is_shell(script: str) -> None:
    shell = _EXPRESSION.sub("x", script)
    checked = subprocess.run(["bash", "-n"], input=shell, text=True, capture_output=True)
    assert checked.returncode == 0, checked.stderr


def test_our_commands_understand_their_options(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: List[argparse.Namespace] = []

    def keep(arguments: argparse.Namespace) -> int:
        seen.append(arguments)
        return 0

    monkeypatch.setattr(cli, "_run", keep)
    for words in calls("rasa-tokprune"):
        assert cli.main(words) == 0, words
    assert [each.command for each in seen] == ["doctor", "evaluate", "certify", "diff"]


def test_what_is_compared_is_what_was_trained() -> None:
    (train,) = [words for words in calls("rasa") if words[0] == "train"]
    name = train[train.index("--fixed-model-name") + 1]
    (diff,) = [words for words in calls("rasa-tokprune") if words[0] == "diff"]
    assert diff[2] == f"models/{name}.tar.gz"
    said = WORKFLOW.read_text(encoding="utf-8").split("name: model")[0]
    for path in (diff[1], diff[diff.index("--log") + 1], "tests/test_nlu.yml"):
        assert path in said, "the head says what the repository has to hold"


def test_a_gate_that_fails_fails_the_job_after_the_comment() -> None:
    steps = job()["steps"]
    gates = [step["id"] for step in steps if step.get("continue-on-error")]
    assert gates == ["evaluate", "certify", "diff"]
    assert steps[-1]["run"] == "exit 1"
    for gate in gates:
        assert f"steps.{gate}.outcome == 'failure'" in steps[-1]["if"]
    (comment,) = [step for step in steps if step.get("name") == "Comment"]
    for gate in gates:
        assert f"steps.{gate}.outcome" in comment["run"]
    # What a step writes, the comment reads.
    written = {word for script in scripts() for word in re.findall(r"> (\w+\.(?:md|txt))", script)}
    read = set(re.findall(r"cat (\S+)", comment["run"]))
    assert read == written - {"comment.md"}
