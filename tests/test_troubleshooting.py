"""Every message that docs/troubleshooting.md quotes is one that the package, or Rasa, can say."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Iterator, List, Optional, Tuple

import pytest

from tests.real_data import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
PACKAGE = ROOT / "rasa_tokprune"
# What stands there for a part of a message that differs.
GAP = "…"
# A message is a heading of its own, in code marks; those of Rasa stand below this heading.
_MESSAGE = re.compile(r"^#### `(.+)`$", re.MULTILINE)
_RASAS = "\n## Rasa's own messages\n"


def quoted() -> Tuple[List[str], List[str]]:
    """Returns the messages of this package, and Rasa's."""
    own, rasas = PAGE.read_text(encoding="utf-8").split(_RASAS)
    return _MESSAGE.findall(own), _MESSAGE.findall(rasas)


def _text_of(node: ast.AST) -> Optional[str]:
    """Returns a string of the source, with a gap for each value that is put in."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_text_of(part) or GAP for part in node.values)
    return None


def strings_in(path: Path) -> Iterator[str]:
    """Yields the strings of a Python file but for its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        ast.get_docstring(node, clean=False) for node in ast.walk(tree) if isinstance(node, kinds)
    }
    for node in ast.walk(tree):
        text = _text_of(node)
        if text is not None and text not in docstrings:
            yield text


@cache
def said_by_the_package() -> Tuple[str, ...]:
    """Returns every string of the package, blanks as one."""
    found = {text for path in PACKAGE.rglob("*.py") for text in strings_in(path)}
    return tuple(" ".join(text.split()) for text in found)


def is_said(message: str, strings: Tuple[str, ...]) -> bool:
    """Returns whether the pieces of a message between its gaps stand in one string, in order."""
    pieces = [piece.strip() for piece in message.split(GAP) if piece.strip()]
    pattern = re.compile(".*?".join(map(re.escape, pieces)), re.DOTALL)
    return any(pattern.search(text) for text in strings)


def test_the_page_quotes_many_messages() -> None:
    own, rasas = quoted()
    assert len(own) > 40
    assert len(rasas) > 3
    assert len(set(own + rasas)) == len(own + rasas)


@pytest.mark.parametrize("message", quoted()[0])
def test_the_package_can_say_what_is_quoted(message: str) -> None:
    assert len(re.sub(r"\W", "", message)) > 12, "too short to tell messages apart"
    assert is_said(message, said_by_the_package())


def test_lines_of_the_training_log_have_the_names_that_are_explained() -> None:
    _, _, section = PAGE.read_text(encoding="utf-8").partition("says of your bot\n")
    names = re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)
    assert len(names) > 5
    assert set(names) <= set(strings_in(PACKAGE / "fewshot" / "summary.py"))


@pytest.mark.needs("rasa")
def test_rasa_can_say_what_is_quoted() -> None:
    import rasa

    folder = Path(rasa.__file__).parent
    files = ("core/agent.py", "core/utils.py", "engine/recipes/default_recipe.py")
    strings = {" ".join(text.split()) for name in files for text in strings_in(folder / name)}
    # What Python itself, or another library, says.
    messages = [each for each in quoted()[1] if not re.match(r"\w+(Error|Warning)\b", each)]
    assert len(messages) > 2
    for message in messages:
        assert is_said(message, tuple(strings)), message


def test_a_message_that_nobody_says_is_found_out() -> None:
    strings = ("prune: … contradicts …: …; remove one of the two",)
    assert is_said("prune: off contradicts … remove one of the two".replace("off", GAP), strings)
    assert not is_said("remove one of the two … contradicts", strings)
    assert not is_said("prune: … contradicts …; keep both", strings)
