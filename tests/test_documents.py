"""What the documents say of the project's files is so."""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path
from typing import Iterator, List, Tuple

import pytest

from rasa_tokprune import cli
from rasa_tokprune.commands.adapt.arguments import check_options
from tests.real_data import ROOT

DOCUMENTS = (
    "docs/design.md",
    "docs/where.md",
    "CONTRIBUTING.md",
    "rasa_tokprune/encoder/adapters/README.md",
)
TOP = ("benchmarks/", "tests/", "docs/", "example_bot/", ".ci/", "rasa_tokprune/")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"(?:[\w.-]+/)+[\w.-]*|[\w-]+\.(?:py|c|h)")
_BINARY = (".png", ".pyc", ".so", ".safetensors", ".gz", ".db")
_SHELL = re.compile(r"```bash\n(.*?)```", re.DOTALL)
_LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")


def paths_in(document: str) -> Iterator[Tuple[str, Path]]:
    """Yields every path that stands in code marks, with where it should be.

    A bare file name stands in the folder of the path before it.
    """
    folder = ROOT / "rasa_tokprune"
    for code in _CODE.findall((ROOT / document).read_text(encoding="utf-8")):
        if not _PATH.fullmatch(code):
            continue
        base = ROOT if code.startswith(TOP) or code in ("conftest.py", "hatch_build.py") else None
        place = (base or ROOT / "rasa_tokprune") / code
        if base is None and not place.exists():
            place = folder / code
        elif place.exists():
            folder = place if place.is_dir() else place.parent
        yield code, place


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_that_documents_name_are_there(document: str) -> None:
    found = dict(paths_in(document))
    assert found
    missing = [code for code, place in found.items() if not place.exists()]
    assert not missing


def commands_in(text: str) -> Iterator[List[str]]:
    """Yields the words of every call of `rasa-tokprune` in a document's snippets."""
    for snippet in _SHELL.findall(text):
        for line in snippet.replace("\\\n", " ").splitlines():
            if line.startswith("rasa-tokprune "):
                yield shlex.split(line, comments=True)[1:]


def test_commands_in_documents_are_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: List[str] = []

    def check(arguments: argparse.Namespace) -> int:
        if arguments.command == "adapt":
            check_options(arguments)
        seen.append(arguments.command)
        return 0

    monkeypatch.setattr(cli, "_run", check)
    for document in [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]:
        for words in commands_in(document.read_text(encoding="utf-8")):
            assert cli.main(words) == 0, f"{document}: {words}"
    assert seen.count("adapt") >= 4
    assert {"explain", "evaluate", "certify", "export"} <= set(seen)


def test_links_between_documents_lead_somewhere() -> None:
    documents = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("benchmarks/**/*.md")]
    documents += ROOT.glob("rasa_tokprune/**/*.md")
    for document in documents:
        for link in _LINK.findall(document.read_text(encoding="utf-8")):
            if not link.startswith(("http://", "https://", "mailto:")):
                assert (document.parent / link).exists(), f"{document}: {link}"


def test_nothing_tells_of_the_machine_it_was_made_on() -> None:
    kinds = (
        "*.md",
        "docs/**/*.*",
        "rasa_tokprune/**/*.py",
        "benchmarks/**/*.*",
        "benchmarks/*/run",
    )
    for path in [path for kind in kinds for path in ROOT.glob(kind)]:
        if path.suffix not in _BINARY and not path.name.startswith("test_"):
            assert not re.search(r"/(tmp|work|root|home)/", path.read_text(encoding="utf-8")), path
