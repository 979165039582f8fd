"""The table of costs, one round of the real thing, and example_bot/deploy without containers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.conftest import ENVIRONMENT
from benchmarks.reliability.operations import containers, costs, tables
from benchmarks.reliability.serving.bot import train_bot
from benchmarks.reliability.serving.running import find_program
from benchmarks.rows import read_rows
from benchmarks.tables import ROOT


def test_the_table_has_medians_of_rounds() -> None:
    rows = []
    for round_, p50 in enumerate((3.0, 9.0, 4.0)):
        for clients in (1, 8):
            row = {"variant": "metrics", "round": round_, "clients": clients, "p50_ms": p50}
            row.update(n=10, wrong=0, lost=1, p99_ms=2 * p50, messages_per_s=100 * p50, own_mb=5)
            rows.append({**row, "environment": ENVIRONMENT, "load_average": 1.0})
    assert "| metrics | 3 | 60 | 6 | 4.0 | 8.0 | 400 | 5 |" in tables.costs_table(rows)


def test_the_table_of_containers_says_what_was_lost() -> None:
    (row,) = read_rows(Path(containers.__file__).with_suffix(".jsonl"))
    text = tables.containers_table([{**row, "n": 9, "lost": 1, "without_network": False}])
    assert "| messages meanwhile | 9: 0 wrong, 1 lost |" in text
    assert "| answers without a network | **no** |" in text


BASES = ("python:3.10-slim", "redis:7-alpine", "nginx:1.27-alpine")


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder that keeps trained bots."""
    return tmp_path_factory.mktemp("bots")


@pytest.mark.slow
def test_watching_changes_no_answer(work: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    options = ["--rounds", "1", "--messages", "120", "--work", str(work), "--out", str(out)]
    assert costs.main(options) == 0
    rows = read_rows(out)
    assert len(rows) == 2 * len(costs.VARIANTS)
    assert all((row["n"], row["wrong"], row["lost"]) == (120, 0, 0) for row in rows), json.dumps(
        rows
    )


@pytest.mark.slow
@pytest.mark.skipif(
    not (find_program("redis-server") and find_program("nginx")), reason="needs Redis and nginx"
)
def test_the_containers_commands_work_without_containers(work: Path) -> None:
    command = [sys.executable, str(ROOT / ".ci" / "check_deployment.py"), str(train_bot(work))]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]


def engine_runs() -> bool:
    """Returns whether there is a container engine, and the images that ours builds on."""
    return bool(find_program("docker")) and not any(
        subprocess.run(["docker", *command], capture_output=True).returncode
        for command in (["compose", "version"], *(["image", "inspect", each] for each in BASES))
    )


@pytest.mark.slow
@pytest.mark.skipif(not engine_runs(), reason="needs Docker, and images to build on")
def test_a_new_image_takes_its_place_without_a_lost_message(work: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    assert containers.main(["--work", str(work), "--out", str(out)]) == 0
    (row,) = read_rows(out)
    assert (row["wrong"], row["lost"], row["replaced"], row["exit_codes"]) == (0, 0, 2, [0, 0])
    assert row["n"] > 100
    assert row["without_network"]
    assert row["user"] == "1001"
    assert not row["writable"]["/app"]
