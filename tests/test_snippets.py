"""Every snippet of the documents is parsed; what is cheap is run."""

from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Dict, Iterator, List

import pytest
from ruamel.yaml import YAML

from rasa_tokprune import cli
from rasa_tokprune.commands.adapt.arguments import check_options
from rasa_tokprune.texts.training_data.nlu import read_nlu_yaml
from tests.documents import Snippet, snippets
from tests.real_data import ROOT

LANGUAGES = {
    "bash", "dockerfile", "ini", "json", "mermaid", "nginx", "python", "text", "yaml",
}  # fmt: skip
# Folders of the project that a bot does not have too.
OURS = (".ci/", "benchmarks/", "example_bot/")


def test_every_snippet_says_its_language() -> None:
    assert len(snippets()) > 30
    unknown = {str(snippet): snippet.language for snippet in snippets()}
    assert not {place: name for place, name in unknown.items() if name not in LANGUAGES}


@pytest.mark.parametrize("snippet", snippets("json"), ids=str)
def test_json_is_json(snippet: Snippet) -> None:
    json.loads(snippet.text)


@pytest.mark.parametrize("snippet", snippets("yaml"), ids=str)
def test_yaml_is_yaml_and_training_data_can_be_read(snippet: Snippet, tmp_path: Path) -> None:
    content = YAML(typ="safe").load(snippet.text)
    assert isinstance(content, dict)
    # In endpoints.yml it is a server.
    if isinstance(content.get("nlu"), list):
        path = tmp_path / "nlu.yml"
        path.write_text(snippet.text, encoding="utf-8")
        assert read_nlu_yaml(path)


@pytest.mark.parametrize("snippet", snippets("bash"), ids=str)
def test_shell_snippets_can_be_parsed(snippet: Snippet) -> None:
    checked = subprocess.run(["bash", "-n"], input=snippet.text, text=True, capture_output=True)
    assert checked.returncode == 0, checked.stderr


def calls_in(snippet: Snippet) -> Iterator[List[str]]:
    """Yields the words of every command of a shell snippet, settings before it left out."""
    for line in snippet.text.replace("\\\n", " ").splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&<>")
        lexer.whitespace_split = True
        call: List[str] = []
        for word in [*lexer, ";"]:
            if set(word) <= set("|;&<>"):
                if call:
                    yield call
                # What follows `>` or `<` is a file.
                call = ["<file>"] if set(word) & set("<>") else []
            elif call == ["<file>"]:
                call = []
            elif call or not re.fullmatch(r"\w+=.*", word):
                call.append(word)


@pytest.mark.parametrize("snippet", snippets("bash"), ids=str)
def test_what_shell_snippets_call_exists(snippet: Snippet) -> None:
    for program, *words in calls_in(snippet):
        for word in words:
            assert not word.startswith(OURS) or any(ROOT.glob(word)), word
        if program in ("bash", "source") and not words[0].startswith("-"):
            assert (ROOT / words[0]).is_file()
        if program == "python" and words[:1] == ["-m"]:
            name = words[1].replace(".", "/")
            is_ours = name.startswith(("benchmarks/", "rasa_tokprune/"))
            assert not is_ours or (ROOT / f"{name}.py").is_file() or (ROOT / name).is_dir()


def test_commands_in_documents_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: Dict[str, int] = {}

    def check(arguments: argparse.Namespace) -> int:
        if arguments.command == "adapt":
            check_options(arguments)
        seen[arguments.command] = seen.get(arguments.command, 0) + 1
        return 0

    monkeypatch.setattr(cli, "_run", check)
    for snippet in snippets("bash"):
        for program, *words in calls_in(snippet):
            if program != "rasa-tokprune" or "--help" in words:
                continue
            assert cli.main(words) == 0, f"{snippet}: {words}"
    assert {"adapt", "certify", "evaluate", "explain", "export"} <= set(seen)
    assert seen["adapt"] >= 4


@pytest.mark.parametrize("snippet", snippets("python"), ids=str)
def test_python_can_be_compiled(snippet: Snippet) -> None:
    compile(snippet.text, str(snippet), "exec")


@pytest.mark.slow
@pytest.mark.needs("torch")
@pytest.mark.parametrize("document", sorted({each.document for each in snippets("python")}))
def test_python_runs(document: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: Dict[str, object] = {"__name__": "snippet"}
    for snippet in snippets("python"):
        if snippet.document == document and snippet.is_run:
            exec(compile(snippet.text, str(snippet), "exec"), names)
