"""Growth and rates, from measuring to the tables."""

from __future__ import annotations

from pathlib import Path
from typing import List

import numpy as np
import pytest

from benchmarks.conftest import Rows
from benchmarks.rows import read_rows, select
from benchmarks.scale import growth, log
from benchmarks.scale.exponent import fit_exponent
from benchmarks.scale.tables import growth_table, log_table
from rasa_tokprune.errors import ConfigError
from tests.bots_on_disk import TRAIN, write_nlu
from tests.checkpoints import CORPUS


def test_exponents_in_the_table(growth_rows: Rows) -> None:
    table = growth_table(growth_rows)
    assert "| fit | 1 | 1e+04 | 1e+06 | 2.00 | 2.00 |" in table
    assert "A CPU" in table
    assert growth_table([]) == "Not measured yet."


def test_exponent_of_known_data() -> None:
    sizes = np.array([1.0, 10.0, 100.0])
    assert fit_exponent(sizes, 3 * sizes**1.5) == pytest.approx(1.5)
    assert fit_exponent(sizes, [7.0, 7.0, 7.0]) == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ConfigError, match="two different sizes"):
        fit_exponent([8, 8], [1.0, 2.0])
    with pytest.raises(ConfigError, match="must be positive"):
        fit_exponent([1, 2], [0.0, 1.0])


@pytest.mark.thorough
def test_growth_is_measured(tiny_bert: Path, messages: List[str], tmp_path: Path) -> None:
    (tmp_path / "messages.txt").write_text("\n".join(messages))
    options = ["--model", str(tiny_bert), "--messages", str(tmp_path / "messages.txt")]
    options += ["--work", str(tmp_path / "work"), "--repetitions", "1", "--lengths", "4", "16"]
    options += ["512", "--examples", "--intents", "2", "4", "--engines", "ours:torch:fp32:off"]
    assert growth.main([*options, "--out", str(tmp_path / "growth.jsonl")]) == 0
    rows = read_rows(tmp_path / "growth.jsonl")
    assert {row["tokens"] for row in select(rows, kind="tokens")} == {4, 16}, "80 positions"
    assert {row["n_way"] for row in select(rows, kind="intents")} == {2, 4}
    assert "| ours:torch:fp32:off | 1 |" in growth_table(rows)


def test_a_million_messages_follow_from_the_rate() -> None:
    row = {"plan": "off", "messages": 2000, "answer_s": 2.0, "fit_s": 0.6}
    assert log_table([row]).splitlines()[2] == "| `off` | 1000 | 0.6 | 16.7 | 1.1 | 0.3 |"


@pytest.mark.slow
def test_rates_are_those_of_certifys_jobs(tmp_path: Path) -> None:
    train = write_nlu(tmp_path / "nlu.yml", TRAIN)
    (row,) = log.measure(train, CORPUS, ["off"])
    assert (row["messages"], row["jobs"]) == (len(CORPUS), 1)
    assert row["answer_s"] > 0
