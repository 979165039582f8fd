"""The project's documents: their snippets, headings and links."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Iterator, List, Set, Tuple

from tests.real_data import ROOT

_FENCE = re.compile(
    r"(?P<before>[^\n]*\n)?^(?P<indent> *)(?P<ticks>```+)(?P<language>[^\n]*)\n"
    r"(?P<text>.*?)^(?P=indent)(?P=ticks)[ ]*$",
    re.MULTILINE | re.DOTALL,
)
_HEADING = re.compile(r"^#{1,6} +(.*?)#*$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)|<(https?://[^>\s]+)>|(?:src|srcset|href)=\"([^\"]+)\"")
# Stands on the line before a snippet that takes what a test does not have.
NOT_RUN = "<!-- not run: "


@dataclasses.dataclass(frozen=True)
class Snippet:
    """A code block of a document.

    Attributes:
        document: Its path, relative to the project.
        line: Where it starts, from 1.
        language: What stands behind the backticks.
        text: What it holds.
        is_run: Whether a test may run it.
    """

    document: str
    line: int
    language: str
    text: str
    is_run: bool

    def __str__(self) -> str:
        return f"{self.document}:{self.line}"


def documents() -> List[Path]:
    """Returns every document of the project, in a fixed order."""
    patterns = ("*.md", "docs/**/*.md", "benchmarks/**/*.md", "rasa_tokprune/**/*.md")
    return sorted({path for pattern in patterns for path in ROOT.glob(pattern)})


def snippets(*languages: str) -> List[Snippet]:
    """Returns the code blocks of all documents in some languages; of none named, all."""
    return [
        snippet
        for path in documents()
        for snippet in snippets_in(path)
        if not languages or snippet.language in languages
    ]


def snippets_in(path: Path) -> Iterator[Snippet]:
    """Yields a document's code blocks, without the indent they stand at."""
    text = path.read_text(encoding="utf-8")
    for match in _FENCE.finditer(text):
        indent = len(match["indent"])
        lines = [line[indent:] for line in match["text"].splitlines(keepends=True)]
        yield Snippet(
            path.relative_to(ROOT).as_posix(),
            text.count("\n", 0, match.start("ticks")) + 1,
            match["language"].strip(),
            "".join(lines),
            not (match["before"] or "").startswith(NOT_RUN),
        )


def _prose(path: Path) -> str:
    """Returns a document's text without its code blocks."""
    return _FENCE.sub("\n", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> Set[str]:
    """Returns a document's anchors: of headings, as GitHub and the site make them, and others."""
    text = _prose(path)
    found = set(re.findall(r'<a id="([^"]+)"', text))
    for heading in _HEADING.findall(text):
        shown = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
        found.add(re.sub(r"[^\w\- ]", "", shown).replace(" ", "-"))
    return found


def links(path: Path) -> List[Tuple[str, str]]:
    """Returns a document's links: where to, and the anchor there, either may be empty."""
    text = re.sub(r"`[^`\n]*`", "", _prose(path))
    found = [next(filter(None, match)) for match in _LINK.findall(text)]
    return [(target, anchor) for target, _, anchor in (link.partition("#") for link in found)]
