"""Variants, reports of tests, answers that differ, tables, what is refused."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from benchmarks.conftest import ENVIRONMENT, Refusal
from benchmarks.reliability.compatibility import installs, models, tables

REPORT = """<testsuites><testsuite>
<testcase classname="tests.a" name="works"/>
<testcase classname="tests.a" name="breaks"><failure message="no"/></testcase>
<testcase classname="tests.b" name="raises"><error message="no"/></testcase>
<testcase classname="tests.b" name="waits"><skipped message="later"/></testcase>
</testsuite></testsuites>"""


def test_a_report_is_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    assert installs.read_report(report)["failed"] == ["pytest did not end"]
    report.write_text(REPORT, encoding="utf-8")
    found = installs.read_report(report)
    assert found == {"passed": 1, "skipped": 1, "failed": ["tests.a.breaks", "tests.b.raises"]}


def test_every_extra_of_users_is_installed() -> None:
    extras = set(importlib.metadata.metadata("rasa-tokprune").get_all("Provides-Extra"))
    for name in ("lowest, all extras", "highest, all extras"):
        # The model is in every variant, without what its package asks for.
        assert {*installs.VARIANTS[name].extras, "offline"} == extras


def test_answers_that_differ() -> None:
    expected = [["a", 0.9], ["a", 0.51], ["b", 0.8], ["c", 0.3]]
    found = [["a", 0.9], ["a", 0.49], ["c", 0.8], ["d", 0.3]]
    row = models.compared(expected, found)
    assert (row["n"], row["other_intent"], row["other_action"]) == (4, 2, 2)
    assert row["largest"] == pytest.approx(0.02)


def test_tables() -> None:
    about = {"environment": ENVIRONMENT, "settings": {"python": "3.10"}}
    row = {"kind": "lowest", "versions": {"rasa": "3.6.21"}, "passed": 7, "failed": ["x"], **about}
    text = tables.installs_table([row, {"kind": "highest", "why": "no versions fit", **about}])
    assert "| lowest | 3.10 | rasa 3.6.21 | 7 | 1 |" in text
    assert "| highest | 3.10 | not installed: no versions fit |  |  |" in text
    counts = {"n": 9, "other_intent": 0, "other_action": 1, "largest": 0.0123}
    old = {"path": "config.yml", **counts}
    text = tables.models_table([old, {**old, "path": "avx2", "trained_on": "amx"}])
    assert "| 0.2, `config.yml` | today | 9 | 0 | 1 | 0.01 |" in text
    assert "| today, `amx` | today, `avx2` | 9 | 0 | 1 | 0.01 |" in text


def test_one_line_errors(tmp_path: Path, refusal: Refusal) -> None:
    out = ["--out", str(tmp_path / "rows.jsonl")]
    assert "no variant 'lowst'" in refusal(installs.main, [*out, "--variants", "lowst"])
    with pytest.raises(installs.InstallError, match="^no versions fit$"):
        installs._run([sys.executable, "-c", "raise SystemExit('no versions fit')"])
    with pytest.raises(models.ConfigError, match="pip install uv"):
        installs._run([str(tmp_path / "uv")])
    with pytest.raises(models.ConfigError, match="git has no commit 0000000"):
        models.old_sources(tmp_path, "0" * 40)
