"""What the documents say of the project's files is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Iterator, Tuple

import pytest

from tests.documents import anchors, documents, links
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
_ADDRESS = re.compile(r"https://[\w.-]+\.[a-z]+(?:/[\w./~%+?=-]*)?|mailto:.+")
_BINARY = (".png", ".pyc", ".so", ".safetensors", ".gz", ".db")


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


@pytest.mark.parametrize("document", documents(), ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    for target, anchor in links(document):
        if re.match(r"[a-z]+:", target):
            # CI may have no network.
            assert _ADDRESS.fullmatch(target), target
            continue
        place = (document.parent / target) if target else document
        assert place.exists(), target
        if anchor and not anchor.startswith("only-"):
            assert anchor in anchors(place), f"{target}#{anchor}"


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
