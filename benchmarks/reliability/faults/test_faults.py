"""What the trials of faults plan, damage and count."""

from __future__ import annotations

import os
import sys
import tarfile
import time
from pathlib import Path

import pytest

from benchmarks.reliability.faults import bot, children
from benchmarks.reliability.faults.damage import cut_archive, damaged, escaping_archive
from benchmarks.reliability.faults.kills import ARCHIVE, RANDOM, WEIGHTS, plan_of_kills
from benchmarks.reliability.faults.tables import (
    damage_table,
    kills_table,
    resumes_table,
    surroundings_table,
)


def test_kills_are_at_random_moments_and_at_two_exact_ones() -> None:
    kills = plan_of_kills(10, seed=1)
    assert kills == plan_of_kills(10, seed=1) != plan_of_kills(10, seed=2)
    kinds = [kind for kind, _, _ in kills]
    assert [kinds.count(kind) for kind in (RANDOM, ARCHIVE, WEIGHTS)] == [10, 2, 2]
    assert all(0 <= share < 1 for _, share, _ in kills)
    assert all(is_cold for kind, _, is_cold in kills if kind == WEIGHTS)


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_a_child_ends_as_it_says_or_is_killed(tmp_path: Path) -> None:
    variables = {"TMPDIR": str(tmp_path / "tmp")}
    assert children.run(lambda: None, tmp_path, variables) == 0
    assert children.run(lambda: sys.exit(3), tmp_path, variables) == 3
    assert children.run(lambda: print(1 / 0), tmp_path, variables) == 1
    assert "ZeroDivisionError" in (tmp_path / children.LOG).read_text()
    child = children.start(lambda: time.sleep(60), tmp_path, variables)
    assert children.kill(child) == -9
    child = children.start(lambda: time.sleep(60), tmp_path, variables)
    assert children.kill_when(child, lambda: True) == -9


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    inside = tmp_path / "unpacked" / "components" / "classifier"
    inside.mkdir(parents=True)
    (inside / "encoder.json").write_text("{}")
    (inside / "noise").write_bytes(os.urandom(10_000))
    (tmp_path / "unpacked" / "metadata.json").write_text("{}")
    with tarfile.open(tmp_path / "model.tar.gz", "w:gz") as tar:
        tar.add(tmp_path / "unpacked", arcname="")
    return tmp_path / "model.tar.gz"


def test_archives_are_damaged_in_one_place(archive: Path, tmp_path: Path) -> None:
    out = tmp_path / "damaged.tar.gz"
    assert bot.is_whole(archive)
    with cut_archive(archive, out):
        assert not bot.is_whole(out)
    with escaping_archive(archive, out), tarfile.open(out) as tar:
        assert "../../escaped.txt" in tar.getnames()
    with damaged(archive, archive, lambda own, _: (own / "noise").unlink(), out):
        assert bot.is_whole(out)
        with tarfile.open(out) as tar:
            assert not any("noise" in name for name in tar.getnames())


def test_a_short_run_is_marked() -> None:
    row = dict.fromkeys(
        ("previous_answers", "next_answers", "weights_after", "half_archives", "half_weights"), 1
    )
    about = {"cores": 1, "cpu": "c", "flags": [], "versions": {}, "date": "2026-01-01"}
    rows = [{"kind": RANDOM, **row, "half_weights": 0, "environment": about}]
    assert "1 (a short run: 50 are meant) | 1 of 1 | 1 of 1 | 1 of 1 | 1 | 0 |" in kills_table(rows)
    assert "short run" not in kills_table(rows * 50)


def test_what_is_not_as_expected_is_seen() -> None:
    row = {"trial": "t", "made_by": "m", "got": "refused", "expected": "trained", "said": ""}
    wrong = {**row, "is_right": False, "has_traceback": True}
    assert "| refused (expected: trained) | a traceback |" in surroundings_table([wrong])
    taken = {"what": "w", "how": "h", "code": 0, "n_lines": 0, "status": 204}
    assert "**taken** | 204 | **no** |" in damage_table([{**taken, "answers_as_before": False}])


def test_a_result_that_is_another_one_is_seen() -> None:
    row = {"command": "certify", "kept": 1, "made_again": 3}
    about = {"cores": 1, "cpu": "c", "flags": [], "versions": {}, "date": "2026-01-01"}
    rows = [{**row, "same": same, "environment": about} for same in (True, False)]
    rows += [{**row, "command": "adapt", "environment": about}]
    rows[-1]["same"] = True
    text = resumes_table(rows)
    assert "| `certify` | 2 | 1 of 2 | 2 | 6 |" in text
    assert "| `adapt` | 1 | 1 of 1 | 1 | not counted |" in text
