"""Importing the package does no work (M1, M11, M14): each check needs a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(code: str) -> str:
    """Runs code in a new interpreter and returns what it printed last."""
    inherited = {k: v for k, v in os.environ.items() if k != "TOKENIZERS_PARALLELISM"}
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=inherited,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip().splitlines()[-1]


def test_importing_the_package_imports_nothing_heavy() -> None:
    heavy = ["torch", "rasa", "tensorflow", "transformers", "tokenizers", "sklearn", "numpy"]
    code = f"import sys, rasa_tokprune; print([m for m in {heavy} if m in sys.modules])"
    assert run(code) == "[]"


def test_unknown_names_are_attribute_errors() -> None:
    code = "import rasa_tokprune; print(hasattr(rasa_tokprune, 'TokPruneFeaturiser'))"
    assert run(code) == "False"


@pytest.mark.slow
def test_importing_the_components_loads_no_model_and_touches_no_device() -> None:
    # A server forks after importing: threads or CUDA started before would be lost or hang.
    code = """
import os, torch
import rasa_tokprune.importer
from rasa_tokprune.encoder.shared import _registry
print([
    len(_registry.models), _registry.latest, torch.cuda.is_initialized(),
    "TOKENIZERS_PARALLELISM" in os.environ,
])
"""
    assert run(code) == "[0, None, False, False]"


@pytest.mark.slow
def test_torch_works_after_tensorflow() -> None:
    # Rasa imports TensorFlow first; some builds of torch hang or abort when they come second.
    assert run("import tensorflow, torch; torch.seed(); print(torch.ones(2).sum().item())") == "2.0"


@pytest.mark.slow
def test_short_names_need_the_importer() -> None:
    # In this process the components are registered already, so the check needs another.
    code = """
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.importers.importer import TrainingDataImporter
names = ["TokPruneFeaturizer", "TokPruneIntentClassifier"]
def known():
    found = 0
    for name in names:
        try:
            found += DefaultV1Recipe._from_registry(name) is not None
        except InvalidConfigException:
            pass
    return found
before = known()
config = {"importers": [{"name": "rasa_tokprune.importer.TokPruneImporter"}]}
TrainingDataImporter.load_from_dict(config)
print(before, known())
"""
    assert run(code) == "0 2"
