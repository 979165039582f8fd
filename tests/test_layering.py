"""The data flow is the import order; the core knows nothing of Rasa."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "rasa_tokprune"

# part -> what it must not import
FORBIDDEN = {
    "encoder": ("rasa", "rasa_tokprune.fewshot", "rasa_tokprune.components",
                "rasa_tokprune.evaluation", "sentence_transformers", "transformers"),
    "fewshot": ("rasa", "torch", "tokenizers", "rasa_tokprune.encoder",
                "rasa_tokprune.components", "rasa_tokprune.evaluation"),
    "components": ("rasa_tokprune.evaluation", "sentence_transformers", "transformers"),
    "evaluation": ("rasa_tokprune.components", "rasa_tokprune.adaptation"),
    "adaptation": ("rasa", "rasa_tokprune.components", "sentence_transformers", "transformers"),
    "jobs": ("rasa", "torch", "rasa_tokprune.fewshot", "rasa_tokprune.components",
             "rasa_tokprune.adaptation", "rasa_tokprune.evaluation"),
}  # fmt: skip


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield str(node.module)


@pytest.mark.parametrize("part", FORBIDDEN)
def test_import_rules(part: str) -> None:
    files = sorted((PACKAGE / part).rglob("*.py"))
    assert files
    for path in files:
        for name in imports_of(path):
            for forbidden in FORBIDDEN[part]:
                assert name != forbidden, f"{path} imports {name}"
                assert not name.startswith(forbidden + "."), f"{path} imports {name}"


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


def test_fewshot_core_needs_no_torch() -> None:
    assert "torch" not in modules_after("import rasa_tokprune.fewshot")


def test_no_pickle_anywhere() -> None:
    unsafe = ("pickle", "joblib", "dill", "cloudpickle")
    for path in PACKAGE.rglob("*.py"):
        for name in imports_of(path):
            assert name.split(".")[0] not in unsafe, f"{path} imports {name}"


def test_unknown_public_name() -> None:
    import rasa_tokprune

    with pytest.raises(AttributeError, match="no attribute 'TokPrune'"):
        rasa_tokprune.TokPrune  # noqa: B018
    assert "TokPruneFeaturizer" in dir(rasa_tokprune)
