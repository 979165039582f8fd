"""Tests are left out by one narrow rule, and a run in which too few passed fails."""

from __future__ import annotations

import subprocess
import sys
from typing import List

import pytest

from tests import needs
from tests.real_data import ROOT


def test_a_file_needs_what_is_imported_when_it_is_loaded() -> None:
    encoder, commands = ROOT / "tests" / "encoder", ROOT / "tests" / "commands"
    assert "torch" in needs.needs_of(encoder / "backends" / "test_pruning.py")
    # Through a file of its own folder, and through the package.
    assert "torch" in needs.needs_of(encoder / "backends" / "test_packed_forward.py")
    assert "torch" in needs.needs_of(commands / "adapt" / "training" / "test_loop.py")
    assert "rasa" in needs.needs_of(ROOT / "tests" / "components" / "conftest.py")
    # Imports within functions come later, or never.
    assert not needs.needs_of(encoder / "backends" / "test_native.py")
    assert not needs.needs_of(commands / "evaluate" / "test_evaluate.py")


def test_only_what_is_missing_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs, "is_installed", lambda library: library != "torch")
    assert needs.missing_of(frozenset({"rasa", "torch"})) == "torch"
    assert needs.missing_of(frozenset({"rasa", "onnx"})) is None


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("options", "code"),
    [(["--at-least", "2"], 0), (["--at-least", "9"], 1), (["--at-least", "9", "-n", "2"], 1)],
)
def test_too_few_tests_are_a_failure(options: List[str], code: int) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    place = str(ROOT / "tests" / "test_terminal.py")
    found = subprocess.run([*command, place], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == code, found.stdout
    assert ("at least 9 have to" in found.stdout) == (code == 1)
