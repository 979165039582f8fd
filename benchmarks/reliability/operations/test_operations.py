"""The table of costs, one round of the real thing, and example_bot/deploy without containers."""

from __future__ import annotations

import contextlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.conftest import ENVIRONMENT
from benchmarks.reliability.operations import containers, costs, tables, workflow
from benchmarks.reliability.serving.bot import EXAMPLE_BOT, train_bot
from benchmarks.reliability.serving.running import find_program
from benchmarks.rows import read_rows
from benchmarks.tables import ROOT
from rasa_tokprune.errors import ConfigError


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


def test_the_bases_are_those_of_the_files() -> None:
    files = (EXAMPLE_BOT / "deploy" / name for name in ("Dockerfile", "compose.yml"))
    text = "".join(path.read_text(encoding="utf-8") for path in files)
    named = set(re.findall(r"(?:FROM|image:) (\S+:\S+)", text))
    assert named == set(containers.BASES)


def test_expressions_and_conditions_of_the_workflow() -> None:
    known = {"steps.diff.outcome": "failure", "github.ref": "main"}
    assert workflow.filled("on ${{ github.ref }}", known) == "on main"
    with pytest.raises(ConfigError, match="not known: \\['secrets.KEY'\\]"):
        workflow.filled("${{ secrets.KEY }}", known)
    failed = "github.ref == 'other' || steps.diff.outcome == 'failure'"
    assert workflow.holds(failed, known)
    assert not workflow.holds(failed, {**known, "steps.diff.outcome": "success"})


@pytest.mark.slow
@pytest.mark.parametrize("case", workflow.CASES)
def test_the_workflow_lets_a_bot_pass_and_stops_a_worse_one(
    work: Path, tmp_path: Path, case: str
) -> None:
    row = workflow.run(tmp_path / "pull", train_bot(work), case, installs=False)
    outcomes = {each["name"]: each["outcome"] for each in row["steps"]}
    is_worse = case != workflow.CASES[0]
    assert outcomes["Certify"] == outcomes["Comment"] == "success", row
    assert outcomes["Compare with the model in use"] == ("failure" if is_worse else "success"), row
    assert outcomes["Gates"] == ("failure" if is_worse else "skipped")
    assert row["conclusion"] == ("failure" if is_worse else "success")
    for heading in ("## Accuracy: success", "## What pruning changes", "pull request changes"):
        assert heading in row["comment"]
    assert tables.workflow_table([row]).endswith(f" | {row['conclusion']} |")


@pytest.mark.slow
@pytest.mark.skipif(
    not (find_program("redis-server") and find_program("nginx")), reason="needs Redis and nginx"
)
def test_the_containers_commands_work_without_containers(work: Path) -> None:
    command = [sys.executable, str(ROOT / ".ci" / "check_deployment.py"), str(train_bot(work))]
    ended = subprocess.run(command, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout[-2000:] + ended.stderr[-2000:]


@pytest.fixture
def engine() -> None:
    """Skips a test where there is no container engine, or no images that ours builds on."""
    if find_program("docker") is None:
        pytest.skip("needs Docker")
    for command in (["compose", "version"], ["image", "inspect", *containers.BASES]):
        with contextlib.suppress(subprocess.TimeoutExpired):
            asked = subprocess.run(["docker", *command], capture_output=True, timeout=20)
            if asked.returncode == 0:
                continue
        pytest.skip("needs a Docker engine with Compose, and images to build on")


@pytest.mark.slow
@pytest.mark.usefixtures("engine")
def test_a_new_image_takes_its_place_without_a_lost_message(work: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    assert containers.main(["--work", str(work), "--out", str(out)]) == 0
    (row,) = read_rows(out)
    assert (row["wrong"], row["lost"], row["replaced"], row["exit_codes"]) == (0, 0, 2, [0, 0])
    assert row["n"] > 100
    assert row["without_network"]
    assert row["user"] == "1001"
    assert not row["writable"]["/app"]
