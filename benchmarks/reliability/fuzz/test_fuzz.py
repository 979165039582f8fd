"""Small parts of every kind of fuzzing, and the tables of made-up rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

from benchmarks.reliability.fuzz import configs, messages, native, nlu_files, tables
from benchmarks.reliability.fuzz.generated import KINDS, generated
from benchmarks.reliability.fuzz.nlu_generated import Source, generated_file
from benchmarks.reliability.fuzz.refusals import FOREIGN, REFUSED, TAKEN, ending
from benchmarks.rows import read_rows
from rasa_tokprune.errors import ConfigError


def rows_of(path: Path) -> List[Dict[str, Any]]:
    return read_rows(path)


def test_the_same_seed_generates_the_same() -> None:
    first, again, other = (list(generated(seed, 300)) for seed in (1, 1, 2))
    assert first == again != other
    assert {kind for kind, _ in first} <= {*KINDS, "up to a million characters"}
    assert generated_file(Source(3)) == generated_file(Source(3))


def test_messages_are_answered_alike_alone_and_in_a_batch(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    # So many that a batch of each engine holds a payload and half a surrogate pair.
    assert messages.main(["-n", "640", "--real", "0", "--seed", "5", "--out", str(out)]) == 0
    rows = rows_of(out)
    assert [row["engine"] for row in rows] == list(messages.ENGINES)
    assert all(row["n"] == row["asked"] == 640 for row in rows)
    assert all(row["findings"] == [] for row in rows)
    assert "| tiny random model | native int8 | 5 | 640 | 0 | 0 |" in tables.messages_table(rows)


def test_a_wrong_answer_is_noticed() -> None:
    right = messages.Answer(np.ones((2, 3), np.float32), {"intent": "a"})
    assert messages.compare(right, right, 0.0) == 0.0
    with pytest.raises(messages.WrongAnswerError, match="features that differ by 1 in a batch"):
        messages.compare(right, right._replace(features=np.zeros((2, 3), np.float32)), 1e-4)
    with pytest.raises(messages.WrongAnswerError, match="another answer"):
        messages.compare(right, right._replace(output={"intent": "b"}), 0.0)
    with pytest.raises(messages.WrongAnswerError, match="another size"):
        messages.compare(right, right._replace(features=np.ones((1, 3), np.float32)), 0.0)


@pytest.mark.filterwarnings("ignore")
def test_configurations_work_or_are_refused(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    assert configs.main(["-n", "30", "--seed", "5", "--out", str(out)]) == 0
    (row,) = rows_of(out)
    assert row["taken"] + row["refused"] == 30
    assert row["findings"] == []


@pytest.mark.filterwarnings("ignore")
def test_training_files_are_read_as_rasa_reads_them(tmp_path: Path) -> None:
    out = tmp_path / "rows.jsonl"
    assert nlu_files.main(["-n", "30", "--seed", "5", "--out", str(out)]) == 0
    (row,) = rows_of(out)
    assert row["n"] == 30
    assert row["findings"] == 0
    assert "read the same in" in tables.readers_sentence([row])


def test_endings() -> None:
    def refuse(message: str) -> None:
        raise ValueError(message)

    assert ending(lambda: 5).value == 5
    assert ending(lambda: refuse("no"), (ValueError,)).kind == REFUSED
    assert ending(lambda: refuse("no\nno"), (ValueError,)).kind == FOREIGN
    assert ending(lambda: refuse(""), (ValueError,)).kind == FOREIGN
    assert ending(lambda: refuse("no\nno"), (ValueError,), longest=0).kind == REFUSED
    assert ending(lambda: refuse("no")).kind == FOREIGN
    assert ending(lambda: None).kind == TAKEN


def test_what_is_missing_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(native.shutil, "which", lambda name: None)
    monkeypatch.setattr(native, "cpu_features", lambda: {"avx2"})
    monkeypatch.setattr(native.sys, "platform", "linux")
    assert native.main(["--out", str(tmp_path / "rows.jsonl")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith("takes clang, llvm-profdata, llvm-cov: apt-get install clang llvm")


@pytest.mark.thorough
def test_the_c_library_is_fuzzed_for_a_while(tmp_path: Path) -> None:
    lacking = native.missing()
    if lacking:
        pytest.skip(lacking)
    program, corpus = tmp_path / "target", tmp_path / "corpus"
    native.write_seeds(corpus, 1)
    native.compile_target(native.runnable()[0], program)
    row = native.fuzz(program, corpus, 20, 1)
    assert row["findings"] == []
    assert row["executions"] > len(list(corpus.glob("seed*")))
    assert json.dumps(row)


def test_lines_reached_are_added_up() -> None:
    row = {"kind": "reached", "lines": 12, "lines_reached": 10,
           "by_file": {"a.h": [4, 5], "b.h": [0, 0], "c.c": [6, 7]}}  # fmt: skip
    table = tables.reached_table([row])
    assert table.splitlines()[2:] == ["| `a.h` | 4 | 5 |", "| `c.c` | 6 | 7 |",
                                      "| together | 10 | 12 |"]  # fmt: skip


def test_runs_of_a_build_are_added_up() -> None:
    row = {"kind": "fuzzed", "cpu": "avx2", "sanitizers": "memory", "findings": []}
    first = {**row, "cpu_seconds": 10.0, "executions": 1000, "edges": 5}
    second = {**row, "cpu_seconds": 30.0, "executions": 3000, "edges": 6, "findings": ["a"]}
    line = tables.native_table([first, second]).splitlines()[-1]
    assert line == "| avx2 | memory | 40 | 4,000 | 100 | 6 | 1 |"


def test_a_shorter_run_says_so() -> None:
    row = {"model": "m", "engine": "e", "seed": 1, "n": 10, "asked": 2000, "findings": [],
           "largest_difference": 0.0, "slowest_cpu_ms": 4.4, "slowest_kind": "long",
           "slowest_characters": 1234}  # fmt: skip
    assert "| m | e | 1 | 10 of 2,000 | 0 | 0 | 4 | long, 1,234 characters |" in (
        tables.messages_table([row])
    )


def test_an_unknown_engine_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        messages.main(["--engines", "openvino int8", "--out", str(tmp_path / "rows.jsonl")])
    assert issubclass(ConfigError, ValueError)
