"""The package runs no code that it reads from files: no pickle, no eval, no remote code."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Iterator, List

import pytest

from tests.real_data import ROOT

PACKAGE = ROOT / "rasa_tokprune"
FILES = sorted(PACKAGE.rglob("*.py"))
# Called by name; `importlib.import_module` runs what is installed already, and no more.
BUILTINS = {"eval", "exec", "compile", "__import__"}
CALLS = {
    "yaml.load", "yaml.unsafe_load", "yaml.full_load", "torch.load", "np.load", "numpy.load",
    "os.system", "os.popen", "marshal.loads", "shelve.open", "tarfile.open", "zipfile.ZipFile",
}  # fmt: skip
MODULES = {
    "pickle", "cPickle", "dill", "joblib", "cloudpickle", "marshal", "shelve", "tarfile", "zipfile",
    "requests", "urllib3", "socket", "http", "ftplib", "aiohttp",
}  # fmt: skip
# Of a file that listens, where its user asks for it, and asks nobody.
ALLOWED = {"monitoring/exposition.py": ["import socket", "import http"]}
KEYWORDS = {"trust_remote_code", "allow_pickle", "shell"}


def found_in(tree: ast.AST) -> Iterator[str]:
    """Yields what a module does that could run, fetch or unpack what it is given."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [str(node.module).split(".")[0]]
        else:
            names = []
        yield from (f"import {name}" for name in names if name in MODULES)
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            if called in BUILTINS | CALLS:
                yield called
            for keyword in node.keywords:
                is_false = isinstance(keyword.value, ast.Constant) and not keyword.value.value
                if keyword.arg in KEYWORDS and not is_false:
                    yield f"{keyword.arg}="
            if called == "YAML" and "'safe'" not in ast.unparse(node):
                yield "YAML that is not safe"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_runs_fetches_and_unpacks_nothing(path: Path) -> None:
    allowed = ALLOWED.get(path.relative_to(PACKAGE).as_posix(), [])
    assert list(found_in(ast.parse(path.read_text(encoding="utf-8")))) == allowed


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("eval('1')", ["eval"]),
        ("import pickle", ["import pickle"]),
        ("from http.client import x", ["import http"]),
        ("np.load(f, allow_pickle=True)", ["np.load", "allow_pickle="]),
        ("run(x, shell=False)", []),
        ("model(trust_remote_code=flag)", ["trust_remote_code="]),
        ("YAML(typ='unsafe')", ["YAML that is not safe"]),
        ("YAML()", ["YAML that is not safe"]),
        ("re.compile('a'); pattern.eval()", []),
    ],
)
def test_it_would_be_found(code: str, expected: List[str]) -> None:
    assert list(found_in(ast.parse(code))) == expected
