"""Tests of what not every installation has: which they are, and that the others did run.

A test needs a library if its file, or a file of this repository that its file imports, imports it
when it is loaded, if it is marked `@pytest.mark.needs("torch")`, or if its parameter `backend` is
one that runs on it. Where the library is not installed the test is left out, and nothing else is;
what was left out is said at the end.
`--at-least N` fails a run in which fewer than N tests passed.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any, Dict, FrozenSet, Iterator, List, Optional, Set

import pytest

import rasa_tokprune
from rasa_tokprune.extras import is_installed

ROOT = Path(__file__).resolve().parent.parent
# What some installation of the package goes without.
OPTIONAL = frozenset(
    {
        "torch", "transformers", "sentence_transformers", "onnx", "onnxruntime", "distributed",
        "matplotlib", "prometheus_client", "rasa",
    }
)  # fmt: skip
_OF_BACKEND: Dict[Any, Set[str]] = {"torch": {"torch"}, "onnx": {"onnxruntime"}}
_OWN = ("rasa_tokprune", "tests", "benchmarks")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--at-least", type=int, default=0, help="tests that have to pass, or the run fails"
    )


def pytest_ignore_collect(collection_path: Path) -> Optional[bool]:
    is_test = collection_path.suffix == ".py" and collection_path.name.startswith("test_")
    file = collection_path if is_test else collection_path / "conftest.py"
    if not file.is_file() or file == ROOT / "conftest.py":
        return None
    return True if missing_of(needs_of(file)) is not None else None


def pytest_collection_modifyitems(items: List[pytest.Item]) -> None:
    for item in items:
        named = {name for mark in item.iter_markers("needs") for name in mark.args}
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        backend = parameters.get("backend")
        named |= _OF_BACKEND.get(getattr(backend, "value", backend), set())
        unknown = named - OPTIONAL
        if unknown:
            raise pytest.UsageError(f"{item.nodeid} needs {unknown}, which is not in OPTIONAL")
        missing = missing_of(frozenset(named))
        if missing is not None:
            item.add_marker(pytest.mark.skip(reason=f"needs {missing}, which is not installed"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out: Dict[str, List[str]] = {}
    for file in sorted(ROOT.glob("tests/**/*.py")):
        missing = missing_of(needs_of(file))
        if missing is not None and file.name.startswith(("test_", "conftest")):
            left_out.setdefault(missing, []).append(file.relative_to(ROOT).as_posix())
    for library, files in left_out.items():
        terminalreporter.write_line(f"left out without {library}: {' '.join(files)}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    wanted = session.config.getoption("--at-least")
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if not wanted or reporter is None:
        return
    passed = len(reporter.stats.get("passed", []))
    if passed < wanted:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        reporter.write_line(f"\n{passed} tests passed, at least {wanted} have to", red=True)


def missing_of(libraries: FrozenSet[str]) -> Optional[str]:
    """Returns the first of some libraries that is not installed; None if all are."""
    return next((name for name in sorted(libraries) if not is_installed(name)), None)


@functools.cache
def needs_of(file: Path) -> FrozenSet[str]:
    """Returns the optional libraries that a file imports when it is loaded, and what it imports."""
    found, seen, left = set(), set(), [file]
    while left:
        path = left.pop()
        if path in seen:
            continue
        seen.add(path)
        for dotted in _imported_at_once(path):
            library = dotted.split(".")[0]
            if library in OPTIONAL:
                found.add(library)
            elif library in _OWN:
                left += _file_of(dotted)
    return frozenset(found)


def _file_of(dotted: str) -> List[Path]:
    """Returns the file of a module of this repository; of a name in one, the module's."""
    # The package lies beside the tests, or is installed.
    root = Path(rasa_tokprune.__file__).parent.parent if dotted.startswith(_OWN[0]) else ROOT
    place = root.joinpath(*dotted.split("."))
    candidates = [place.with_suffix(".py"), place / "__init__.py", place.parent.with_suffix(".py")]
    return [each for each in candidates if each.is_file()][:1]


def _imported_at_once(path: Path) -> Iterator[str]:
    """Yields the modules, and names of modules, that a file imports outside of functions."""
    left: List[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while left:
        node = left.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            left += ast.iter_child_nodes(node)
