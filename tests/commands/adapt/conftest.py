"""A quick training by the command line, and what it wrote."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from rasa_tokprune.encoder import PruningPlan
from tests.bots_on_disk import write_nlu
from tests.checkpoints import CORPUS, N_LAYERS

SHOP = {
    "parcel": ["where is my parcel", "when will it arrive"],
    "cancel": ["cancel the order", "I do not want it any more"],
}


@pytest.fixture
def arguments(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """Returns arguments of a training in both stages, with a task `shop`, into the folder `own`."""
    monkeypatch.setenv("RASA_TOKPRUNE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "log.txt").write_text("\n".join(CORPUS * 3), encoding="utf-8")
    write_nlu(tmp_path / "nlu.yml", SHOP)
    plan = PruningPlan(N_LAYERS, (0.0, 0.5, 0.5, 0.0), name="half")
    plan.save(tmp_path / "half.json")
    return [
        "adapt", "--model", str(tiny_bert), "--prune", str(tmp_path / "half.json"),
        "--texts", str(tmp_path / "log.txt"), "--task", f"shop={tmp_path / 'nlu.yml'}",
        "--out", str(tmp_path / "own"), "--steps", "8", "--contrast-steps", "4",
        "--batch-size", "8", "--check-every", "4", "--learning-rate", "0.01",
        "--concatenations", "20", "--rank", "4", "--device", "cpu", "--quiet",
    ]  # fmt: skip


@pytest.fixture
def history(tmp_path: Path) -> Callable[[str], List[Dict[str, Any]]]:
    """Returns a function: folder -> looks of the training that wrote it."""

    def read(folder: str) -> List[Dict[str, Any]]:
        lines = (tmp_path / folder / "history.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]

    return read


@pytest.fixture
def provenance(tmp_path: Path) -> Callable[[str], Dict[str, Any]]:
    """Returns a function: folder -> what its plan says of its making."""

    def read(folder: str) -> Dict[str, Any]:
        return dict(PruningPlan.load(tmp_path / folder / "plan.json").provenance)

    return read
