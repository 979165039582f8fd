"""The newest Rasa Pro still has what is used of Rasa: its sources are read, never run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import FrozenSet

import pytest

import rasa_tokprune
from tests.components.rasa_uses import RasaTree, Use, uses_of

PACKAGE = Path(rasa_tokprune.__file__).parent
# What the newest Rasa Pro lacks; docs/compatibility.md says what becomes of it.
KNOWN: FrozenSet[str] = frozenset()


@pytest.fixture(scope="module")
def open_source() -> RasaTree:
    spec = importlib.util.find_spec("rasa")
    return RasaTree(Path(spec.origin).parent.parent)


@pytest.fixture(scope="module")
def uses(open_source: RasaTree) -> FrozenSet[Use]:
    return frozenset(use for file in PACKAGE.rglob("*.py") for use in uses_of(file, open_source))


def test_rasa_open_source_has_all_that_is_found(
    uses: FrozenSet[Use], open_source: RasaTree
) -> None:
    assert [lack for use in uses if (lack := open_source.lacks(use))] == []
    # One of each kind: a name, an attribute, a keyword, a parameter's method, a replaced method.
    names = {use.name for use in uses}
    io, recipe = "rasa.shared.utils.io", "rasa.engine.recipes.default_recipe.DefaultV1Recipe"
    message = "rasa.shared.nlu.training_data.message.Message"
    assert {f"{io}.raise_warning", f"{recipe}.ComponentType.INTENT_CLASSIFIER"} <= names
    assert Use(f"{recipe}.register", ("is_trainable",)) in uses
    assert Use(f"{message}.set", ("add_to_output",)) in uses
    assert "rasa.engine.graph.GraphComponent.load" in names


@pytest.mark.parametrize(
    ("before", "after", "lack"),
    [
        ("def warn(", "def warned(", "rasa.io.warn"),
        ("docs=None", "url=None", "rasa.io.warn(docs)"),
        ("class Message", "class Text", "rasa.io.Message"),
        ("def get(", "def fetch(", "rasa.io.Message.get"),
        ("self.features =", "self.vectors =", "rasa.io.Message.features"),
        ("self, resource", "self, folder", "rasa.io.Base.load(resource)"),
    ],
)
def test_what_is_gone_is_found(tmp_path: Path, before: str, after: str, lack: str) -> None:
    source = (
        "def warn(text, docs=None): ...\n"
        "class Message:\n"
        "    def __init__(self): self.features = []\n"
        "    def get(self, key): ...\n"
        "class Base:\n"
        "    def load(self, resource): ...\n"
    )
    ours = tmp_path / "ours.py"
    ours.write_text(
        "from rasa.io import Base, Message, warn\n"
        "class Own(Base):\n"
        "    def load(self, resource): warn('x', docs='y')\n"
        "    def run(self, messages: List[Message]):\n"
        "        return [each.get(each.features) for each in messages]\n"
    )
    trees = []
    for name, content in (("old", source), ("new", source.replace(before, after))):
        (tmp_path / name / "rasa").mkdir(parents=True)
        (tmp_path / name / "rasa" / "io.py").write_text(content)
        trees.append(RasaTree(tmp_path / name))
    found = set(uses_of(ours, trees[0]))
    assert not [use for use in found if trees[0].lacks(use)]
    assert lack in {trees[1].lacks(use) for use in found}


@pytest.mark.slow
def test_rasa_pro_has_what_is_used(uses: FrozenSet[Use], tmp_path: Path) -> None:
    # Any Python's wheel would do: nothing of it runs.
    asked = ["--no-deps", "--only-binary=:all:", "--python-version=3.12", "--dest", str(tmp_path)]
    found = subprocess.run(
        [sys.executable, "-m", "pip", "download", "--quiet", *asked, "rasa-pro"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if found.returncode != 0:
        last = (found.stderr.strip().splitlines() or ["no reason given"])[-1]
        pytest.skip(f"Rasa Pro's wheel cannot be had: {last}")
    (wheel,) = tmp_path.glob("rasa_pro-*.whl")
    zipfile.ZipFile(wheel).extractall(tmp_path)
    pro = RasaTree(tmp_path)
    lacking = {lack for use in uses if (lack := pro.lacks(use))}
    assert lacking == KNOWN, f"{wheel.name}: see docs/compatibility.md"
