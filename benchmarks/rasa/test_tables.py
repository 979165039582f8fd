"""Tables of whole Rasa come from rows alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

import pytest

from benchmarks.conftest import ENVIRONMENT, Rows
from benchmarks.rasa.tables import (
    cross_validation_table,
    draw_quantiles,
    runs_claim,
    runs_table,
    servers_table,
)


def run_row(config: str, prune: str, accuracy: float, **keys: Any) -> Dict[str, Any]:
    row = {"task": "bot", "config": config, "prune": prune, "keys": keys, "accuracy": accuracy}
    return {**row, "train_s": 20.0, "parse_p50_ms": 1.5, "environment": ENVIRONMENT}


@pytest.fixture
def run_rows() -> Rows:
    return [
        run_row("config_diet.yml", "none", 0.6),
        run_row("config.yml", "drop 0.1", 0.7, quantile=0.1),
        run_row("config.yml", "off", 0.8),
    ]


def test_servers(server_rows: Rows) -> None:
    table = servers_table(server_rows)
    assert "TokPruneIntentClassifier (prune: off) | 80.0 |" in table
    assert "| 550 | 50 |" in table
    assert "A CPU" in table
    assert servers_table([]) == "Not measured yet."


def test_runs(run_rows: Rows) -> None:
    assert runs_table(run_rows).splitlines() == [
        "| pipeline | pruning | bot: accuracy % | train s | parse p50 ms |",
        "|---|---|--:|--:|--:|",
        "| our classifier | un-pruned | 80.0 | 20 | 1.5 |",
        "| our classifier | drop 0.1 | 70.0 | 20 | 1.5 |",
        "| Rasa's default (DIET) | - | 60.0 | 20 | 1.5 |",
        "",
        "A CPU, pinned to 2 cores, batch size 1; torch 2.1.",
    ]
    assert "80.0% on bot against 60.0%, trained in 20 s instead of 20 s" in runs_claim(run_rows)


def test_plot(run_rows: Rows, tmp_path: Path) -> None:
    draw_quantiles(run_rows, tmp_path / "quantiles.png")
    assert (tmp_path / "quantiles.png").read_bytes().startswith(b"\x89PNG")


def test_cross_validation() -> None:
    rows = [{"pipeline": "own", "accuracy": 0.75, "f1": 0.5, "n": 4}]
    assert cross_validation_table(rows).splitlines()[2] == "| own | 75.0 | 50.0 |"
