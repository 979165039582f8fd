"""Without Rasa: its bots' files are read, and the one command that needs it says so.

Here Rasa is hidden; .ci/check_pythons runs the tests where it really is not installed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Callable, List, Sequence

import pytest

from rasa_tokprune.cli import main


@pytest.fixture(autouse=True)
def _no_rasa(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name == "rasa" or name.startswith("rasa."):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "rasa", None)


def test_a_trained_model_cannot_be_explained(
    refusal: Callable[[Sequence[str]], str], tmp_path: Path
) -> None:
    line = refusal(["explain", "hello", "--model", str(tmp_path)])
    assert "a trained model runs in Rasa, which is not installed here" in line


def test_evaluate_writes_its_reports(
    quick: List[str],
    bot: List[str],
    tmp_path: Path,
) -> None:
    assert main([*quick, *bot]) == 0
    report = json.loads((tmp_path / "out" / "intent_report.json").read_text())
    assert report["accuracy"] == 0.75


@pytest.mark.needs("matplotlib")
def test_plots_are_drawn_but_for_rasas_own(
    options: List[str],
    bot: List[str],
    tmp_path: Path,
) -> None:
    assert main([*options, *bot]) == 0
    plots = {path.name for path in (tmp_path / "out").glob("*.png")}
    assert plots == {"calibration.png", "coverage.png"}


def test_without_matplotlib_plots_are_refused_before_anything_is_encoded(
    options: List[str],
    bot: List[str],
    refusal: Callable[[Sequence[str]], str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    line = refusal([*options, *bot])
    assert line.endswith("pip install 'rasa-tokprune[plots]'; or give --no-plots")
