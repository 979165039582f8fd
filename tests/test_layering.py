"""The data flow is the import order; the core knows nothing of Rasa.

docs/design.md draws the same rooms.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Dict, Iterator, List, Tuple

import pytest

from tests.real_data import ROOT

PACKAGE = ROOT / "rasa_tokprune"

# Every room, from the ground up: what of this package it may import, all of it further up in this
# table. A room is a folder with what lies below it, or one file; the longest name that fits a file
# is its room. Files of one room may import each other's. `package` is __init__.py, which imports a
# name where it is asked for.
MAY_IMPORT: Dict[str, Tuple[str, ...]] = {
    "package": (),
    "errors": (),
    "extras": ("errors",),
    "terminal": (),
    "palette": (),
    "plots": ("palette",),
    "machine": ("errors",),
    "texts/lines": ("errors",),
    "texts/messages": ("errors",),
    # text -> tokens -> pruned encoder -> embedding
    "encoder/stable_fields": (),
    "encoder/formats": (),
    "encoder/checkpoint": ("errors", "encoder/stable_fields"),
    "encoder/written": (),
    "encoder/tokens": ("errors", "encoder/checkpoint", "encoder/written"),
    "encoder/plans": ("errors", "encoder/stable_fields", "encoder/formats"),
    "encoder/adapters": (
        "errors", "machine", "encoder/formats", "encoder/checkpoint", "encoder/plans",
    ),
    "encoder/backends/batch": ("encoder/tokens", "encoder/plans"),
    "encoder/pooling": (
        "encoder/checkpoint", "encoder/tokens", "encoder/plans", "encoder/backends/batch",
    ),
    "encoder/backends": (
        "errors", "extras", "machine", "encoder/formats", "encoder/checkpoint", "encoder/tokens",
        "encoder/plans", "encoder/adapters", "encoder/pooling",
    ),
    "encoder": ("errors", "extras", "machine"),
    # embedding -> prototypes -> confidence
    "fewshot": ("errors",),
    "explanation": ("encoder", "fewshot"),
    # what a server tells of its work
    "monitoring": ("errors", "extras", "machine", "encoder", "fewshot"),
    # confidence -> Rasa message
    "texts": ("errors", "machine", "encoder", "texts/lines"),
    "components": (
        "errors", "terminal", "machine", "encoder", "fewshot", "explanation", "monitoring",
        "texts", "texts/lines", "package",
    ),
    "importer": ("components",),
    # text -> embedding, in another library
    "sentence_transformers": ("errors", "extras", "encoder"),
    # what the commands stand on
    "jobs": ("errors", "extras", "machine"),
    # the commands
    "commands": ("errors", "terminal", "encoder"),
    "commands/evaluate": (
        "errors", "extras", "terminal", "palette", "plots", "machine", "encoder", "fewshot",
        "texts", "commands",
    ),
    "commands/certify": (
        "errors", "terminal", "machine", "encoder", "fewshot", "texts", "texts/lines", "jobs",
        "commands", "package",
    ),
    "commands/bench": ("errors", "extras", "machine", "encoder", "texts", "commands"),
    "commands/trained_model": ("errors", "extras", "texts/messages", "commands"),
    "commands/explain": ("errors", "components", "commands", "commands/trained_model"),
    "commands/parse": (
        "errors", "terminal", "texts/messages", "fewshot", "commands", "commands/trained_model",
    ),
    "commands/diff": (
        "errors", "fewshot", "texts", "texts/messages", "commands", "commands/trained_model",
    ),
    "commands/doctor": (
        "errors", "extras", "terminal", "machine", "encoder", "fewshot", "texts", "components",
        "commands", "commands/bench", "package",
    ),
    "commands/report": (
        "errors", "terminal", "palette", "machine", "encoder", "fewshot", "explanation", "texts",
        "texts/lines", "texts/messages", "commands", "commands/bench", "commands/evaluate",
        "commands/trained_model", "package",
    ),
    "commands/export": ("errors", "encoder", "commands", "package"),
    "commands/adapt": (
        "errors", "palette", "plots", "machine", "encoder", "fewshot", "texts", "jobs", "commands",
        "commands/bench", "package",
    ),
    "cli": (
        "errors", "extras", "terminal", "commands", "commands/evaluate", "commands/certify",
        "commands/bench", "commands/explain", "commands/export", "commands/adapt", "commands/parse",
        "commands/diff", "commands/doctor", "commands/report", "package",
    ),
}  # fmt: skip

# Libraries that are large, or that not every installation has: the rooms that may import them.
LIBRARIES: Dict[str, Tuple[str, ...]] = {
    "rasa": (
        "components", "importer", "commands/evaluate", "commands/trained_model",
        "commands/doctor/rasa_worker",
    ),
    "torch": (
        "encoder/backends/torch", "encoder/shared", "commands/adapt", "sentence_transformers",
    ),
    "tokenizers": ("encoder/tokens", "texts"),
    "ruamel": ("texts/training_data",),
    "onnx": ("encoder/backends/onnx",),
    "onnxruntime": ("encoder/backends/onnx",),
    "distributed": ("jobs",),
    "prometheus_client": ("monitoring/exposition", "monitoring/meters"),
    "matplotlib": ("plots", "commands/evaluate"),
    "rich": ("commands/screen", "commands/explain/layout"),
    "jinja2": ("commands/report",),
    "transformers": (),
    "sentence_transformers": ("sentence_transformers",),
    "tensorflow": (),
}  # fmt: skip
FORBIDDEN_EVERYWHERE = ("benchmarks", "tests", "pickle", "joblib", "dill", "cloudpickle")
MOST_MODULES = 15

FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    """Returns a module's place below the package, 'package' for the package itself."""
    place = path.relative_to(PACKAGE).with_suffix("").as_posix()
    return "package" if place == "__init__" else place.removesuffix("/__init__")


def room_of(place: str) -> str:
    """Returns the room a module lies in."""
    rooms = [room for room in MAY_IMPORT if place == room or place.startswith(f"{room}/")]
    assert rooms, f"{place} lies in no room of MAY_IMPORT"
    return max(rooms, key=len)


def imports_of(path: Path) -> Iterator[str]:
    """Yields the dotted names a file imports anywhere: modules, and names of modules."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            for alias in node.names:
                dotted = f"{node.module}.{alias.name}"
                place = PACKAGE.parent.joinpath(*dotted.split("."))
                is_module = place.is_dir() or place.with_suffix(".py").is_file()
                yield dotted if is_module else str(node.module)


def own_imports(path: Path) -> List[str]:
    """Returns the places below the package that a file imports."""
    found = []
    for dotted in imports_of(path):
        if dotted.split(".")[0] == PACKAGE.name:
            found.append("/".join(dotted.split(".")[1:]) or "package")
    return found


def is_in(place: str, rooms: Tuple[str, ...]) -> bool:
    """Returns whether a place lies in one of some rooms; 'encoder' stands for its rooms too."""
    return room_of(place) in rooms or ("encoder" in rooms and place.startswith("encoder/"))


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_imports_what_its_room_may(path: Path) -> None:
    room = room_of(name_of(path))
    for place in own_imports(path):
        inside = room_of(place) == room or place.startswith(f"{room}/") or place == room
        assert inside or is_in(place, MAY_IMPORT[room]), f"{room} must not import {place}"


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_a_file_imports_libraries_its_room_may(path: Path) -> None:
    for dotted in imports_of(path):
        library = dotted.split(".")[0]
        assert library not in FORBIDDEN_EVERYWHERE, f"{path} imports {dotted}"
        allowed = LIBRARIES.get(library)
        place = name_of(path)
        assert allowed is None or any(
            place == room or place.startswith(f"{room}/") for room in allowed
        ), f"{place} must not import {library}"


def test_every_room_is_there() -> None:
    for room in MAY_IMPORT:
        is_there = (PACKAGE / room).is_dir() or (PACKAGE / f"{room}.py").is_file()
        assert room == "package" or is_there, f"MAY_IMPORT names '{room}', which does not exist"
        assert set(MAY_IMPORT[room]) <= set(MAY_IMPORT)


def test_the_table_goes_the_way_of_the_data() -> None:
    before: List[str] = []
    for room, imported in MAY_IMPORT.items():
        later = [each for each in imported if each not in before]
        assert not later, f"{room} may import {later}, which stand further down"
        before.append(room)


def test_no_two_files_import_each_other() -> None:
    imports = {name_of(path): set(own_imports(path)) - {name_of(path)} for path in FILES}
    for place, imported in imports.items():
        for other in imported:
            assert place not in imports.get(other, set()), f"{place} and {other} import each other"


def test_no_folder_holds_more_than_a_reader_can_overlook() -> None:
    for folder in {path.parent for path in FILES}:
        modules = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        assert len(modules) <= MOST_MODULES, f"{folder} holds {len(modules)} modules"


def modules_after(code: str) -> set[str]:
    script = f"import sys; {code}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_package_import_loads_nothing_heavy() -> None:
    loaded = modules_after("import rasa_tokprune")
    assert not loaded & {"rasa", "torch", "tokenizers", "numpy", "sklearn"}


def test_python_api_needs_no_rasa() -> None:
    code = "from rasa_tokprune import load_encoder, PrototypeClassifier, PruningPlan"
    loaded = modules_after(code)
    assert "tokenizers" in loaded
    assert not loaded & {"rasa", "torch", "tensorflow", "transformers", "sentence_transformers"}


def test_the_command_line_answers_without_rasa_or_torch() -> None:
    loaded = modules_after("import rasa_tokprune.cli")
    assert not loaded & {"rasa", "torch", "tensorflow", "sklearn"}


def test_fewshot_core_needs_no_torch() -> None:
    assert "torch" not in modules_after("import rasa_tokprune.fewshot")


def test_unknown_public_name() -> None:
    import rasa_tokprune

    with pytest.raises(AttributeError, match="no attribute 'TokPrune'"):
        rasa_tokprune.TokPrune  # noqa: B018
    assert "TokPruneFeaturizer" in dir(rasa_tokprune)


def test_what_is_imported_is_asked_for() -> None:
    # Else it is there only as long as Rasa happens to bring it.
    asked = {
        re.split(r"[^\w.-]", line)[0].replace("-", "_")
        for line in metadata.requires("rasa-tokprune") or []
    }
    names = {"scikit_learn": "sklearn", "ruamel_yaml": "ruamel"}
    declared = {names.get(each, each) for each in asked}
    imported = {dotted.split(".")[0] for path in FILES for dotted in imports_of(path)}
    undeclared = imported - declared - sys.stdlib_module_names - {PACKAGE.name}
    assert not undeclared, f"not among the dependencies in pyproject.toml: {undeclared}"
