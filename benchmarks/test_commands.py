"""Commands and files that scripts and documents name exist, and can be called as they say."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict, List

import pytest

from benchmarks.tables import QUESTIONS
from rasa_tokprune.commands.adapt.arguments import add_adapt
from rasa_tokprune.commands.evaluate.arguments import add_evaluate
from tests.real_data import ROOT

HERE = ROOT / "benchmarks"
SCRIPTS = [*sorted(HERE.glob("*/run")), HERE / "adapters" / "search"]
DOCUMENTS = [*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md"))]
READMES = sorted(HERE.rglob("README.md"))
MODULES = sorted(
    {
        module
        for path in (*SCRIPTS, *DOCUMENTS, *READMES)
        for module in re.findall(r"-m (benchmarks(?:\.\w+)+)", path.read_text(encoding="utf-8"))
    }
)
DATA = (
    "generic_sentences.txt",
    *(f"banking77/{name}.yml" for name in ("adapt", "test", "train_5shot", "train_10shot")),
    *(f"{task}/{name}.yml" for task in ("clinc150", "hwu64")
      for name in ("adapt", "test", "train_5shot")),
    *(f"hint3_{task}/{name}" for task in ("sofmattress", "powerplay11")
      for name in ("test.yml", "test_oos.txt", "train.yml")),
    "clinc150/test_oos.txt", "cfpb_long/test.yml", "cfpb_long/train_20shot.yml",
    "intents/judge/a_set.yml", "intents/train/a_set.yml", "intents/train/slurp.yml",
    "intents/train/massive_en.yml", "intents/train/rasabot_horizon733_customer_care_chatbot.yml",
    "intents/train/rasabot_kmanadkat_rasa_wellness_bot.yml", "intents/train/watson_pizzeria.yml",
)  # fmt: skip
# Stands for a command: notes how it was called, and leaves the files that others then expect.
STAND_IN = """#!{python}
import json, os, pathlib, sys
name, *arguments = [os.path.basename(sys.argv[0]), *sys.argv[1:]]
if name == "taskset":
    os.execvp(arguments[2], arguments[2:])
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([name, *arguments]) + "\\n")
if name == "rasa-tokprune":
    out = pathlib.Path(arguments[arguments.index("--out") + 1])
    parts = ["without-banking77", "without-clinc150", "without-hwu64"]
    for folder in [out / part for part in parts] if "--leave-one-out" in arguments else [out]:
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("evaluation.jsonl", "trials.jsonl", "plan.json", "adapter.safetensors"):
            (folder / file).touch()
elif "--out" in arguments:
    pathlib.Path(arguments[arguments.index("--out") + 1]).touch()
"""


def package_parser(command: str) -> argparse.ArgumentParser:
    add: Dict[str, Callable[[argparse.ArgumentParser], None]] = {
        "adapt": add_adapt,
        "evaluate": add_evaluate,
    }
    parser = argparse.ArgumentParser()
    add[command](parser)
    return parser


@pytest.mark.parametrize("module", MODULES)
def test_help(module: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        importlib.import_module(module).main(["--help"])
    assert stopped.value.code == 0
    assert f"usage: python -m {module} " in " ".join(capsys.readouterr().out.split())


def test_every_question_has_a_script_and_a_readme() -> None:
    for question in QUESTIONS:
        text = (HERE / question / "README.md").read_text(encoding="utf-8")
        assert f"bash benchmarks/{question}/run DATA" in text
        script = HERE / question / "run"
        assert f"python -m benchmarks.tables {question}" in script.read_text().splitlines()[-1]
        assert all(f"`{path.name}`" in text for path in (HERE / question).glob("*.jsonl"))


@pytest.mark.parametrize("path", [*DOCUMENTS, *READMES, *SCRIPTS], ids=lambda path: str(path.name))
def test_rows_that_are_named_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.findall(r"benchmarks/\w+/\w+\.jsonl", text)
    if path.parent.parent == HERE:
        named += [f"benchmarks/{path.parent.name}/{n}" for n in re.findall(r"`(\w+\.jsonl)`", text)]
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("path", [*DOCUMENTS, *READMES], ids=lambda path: str(path.name))
def test_files_behind_links_exist(path: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_scripts(script: Path) -> None:
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)
    done = subprocess.run(["bash", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "DATA, the folder of the tasks" in done.stderr


@pytest.mark.parametrize("question", QUESTIONS)
def test_scripts_call_commands_as_these_want_it(question: str, tmp_path: Path) -> None:
    """Runs a copy of each script with stand-ins for its commands, then parses their arguments."""
    data, calls = tmp_path / "data", run_with_stand_ins(question, tmp_path)
    assert calls[-1] == ["python", "-m", "benchmarks.tables", question]
    for command in calls:
        if command[0] == "python":
            importlib.import_module(command[2]).parser().parse_args(command[3:])
        else:
            package_parser(command[1]).parse_args(command[2:])
        paths = [part.rpartition("=")[2] for part in command if str(data) in part]
        assert [path for path in paths if not Path(path).exists()] == []


def run_with_stand_ins(question: str, folder: Path) -> List[List[str]]:
    for name in DATA:
        (folder / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "data" / name).touch()
    copy = folder / "repository"
    files = [HERE / "environment.sh", *(own for own in SCRIPTS if own.parent.name == question)]
    files += ROOT.glob("rasa_tokprune/encoder/plans/shipped/*.json")
    for path in files:
        target = copy / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    (folder / "bin").mkdir()
    (folder / "bot").mkdir()
    for name in ("python", "rasa-tokprune", "taskset"):
        path = folder / "bin" / name
        path.write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
        path.chmod(0o755)
    variables = {"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "CALLS": str(folder / "calls")}
    subprocess.run(
        ["bash", copy / "benchmarks" / question / "run", "data", "bot"],
        cwd=folder,
        env={**os.environ, **variables},
        check=True,
    )
    return [json.loads(line) for line in (folder / "calls").read_text().splitlines()]
