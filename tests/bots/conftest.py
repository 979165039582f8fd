"""Real bots, real training, a real server: everything here is slow."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Callable

import pytest

from tests.real_data import ROOT


def run_rasa(folder: Path, *arguments: str) -> str:
    """Runs `rasa` as a user would, in `folder`, and returns what it printed."""
    result = subprocess.run(
        [sys.executable, "-m", "rasa", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert result.returncode == 0, f"rasa {' '.join(arguments)}:\n{result.stdout[-4000:]}"
    return result.stdout


@pytest.fixture(scope="session", autouse=True)
def _environment() -> None:
    os.environ.update(HF_HUB_OFFLINE="1", RASA_TELEMETRY_ENABLED="false")


@pytest.fixture(scope="module")
def example_bot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a fresh copy of the example bot."""
    folder = tmp_path_factory.mktemp("bot") / "example_bot"
    ignored = shutil.ignore_patterns("models", ".rasa", "results")
    return Path(shutil.copytree(ROOT / "example_bot", folder, ignore=ignored))


@pytest.fixture(scope="session")
def rasa() -> Callable[..., str]:
    """Returns a function that runs `rasa` in a folder."""
    return run_rasa
