"""The tables of docs/adapters.md and docs/robustness.md are what the raw rows say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest

from rasa_tokprune.adaptation.search import report as search
from rasa_tokprune.evaluation import adapter_table, plan_times, scale
from rasa_tokprune.evaluation.decision_table import TASKS
from rasa_tokprune.evaluation.flips import report as flips
from rasa_tokprune.evaluation.rasa_table import read_rows, replace_table
from tests.conftest import CORPUS
from tests.evaluation.conftest import TRAIN, write_nlu
from tests.real_data import ROOT

DOCS = ROOT / "docs"
CARD = "../rasa_tokprune/adapters/README.md"


def rows_of(plan: str, accuracy: float, tasks: Sequence[str] = TASKS) -> List[Dict[str, Any]]:
    return [{"plan": plan, "task": task, "accuracy": accuracy, "cost": 0.5} for task in tasks]


def test_gains_are_against_the_un_pruned_model() -> None:
    rows = [*rows_of("off", 0.8), *rows_of("light", 0.81), *rows_of("light without hwu64", 0.79)]
    lines = adapter_table.plans_table(rows).splitlines()
    assert lines[2].endswith("| 80.0 |  |  |")
    assert lines[3].startswith("| `light` | 0.500 | 81.0 |")
    assert lines[3].endswith("| 81.0 | +1.0 | +1.0 |")
    assert len(lines) == 4


def test_the_claim_says_what_the_rows_say() -> None:
    seen = [task for task in TASKS if task not in adapter_table.NEVER_TRAINED]
    new = adapter_table.NEVER_TRAINED
    rows = [*rows_of("off", 0.7), *rows_of("fast", 0.8, seen), *rows_of("fast", 0.66, new)]
    line = adapter_table.claim_line(rows)
    assert (
        "to 50% of the token-layers, and adapted to it (`fast`), the encoder answers 74.0%" in line
    )
    assert "un-pruned 70.0%; of the three tasks new to the adapter 66.0% and 70.0%" in line


def test_what_was_left_out_counts_on_its_own_task() -> None:
    rows = [
        *rows_of("off", 0.8),
        *rows_of("light without hwu64", 0.79, ["hwu64_5shot"]),
        *rows_of("off, adapter light_without_hwu64", 0.83, ["hwu64_5shot"]),
    ]
    _, _, *lines = adapter_table.left_out_table(rows).splitlines()
    assert "| `light` | hwu64 | hwu64_5shot | 80.0 | 79.0 | -1.0 |" in lines
    assert "| `off, adapter light` | hwu64 | hwu64_5shot | 80.0 | 83.0 | +3.0 |" in lines


def test_time_is_a_share_of_the_un_pruned_encoders() -> None:
    row = {"tokens": 8, "backend": "native", "precision": "int8"}
    rows = [
        {**row, "plan": "off", "median_ms": 2.0, "cost": 1.0},
        {**row, "plan": "light", "median_ms": 1.5, "cost": 0.8},
    ]
    lines = plan_times.render(rows).splitlines()
    assert lines[2:4] == ["| `off`, ms | 2.00 |", "| `light` | 0.75 / 0.80 |"]


@pytest.mark.parametrize(
    ("document", "data", "tables"),
    [
        ("adapters.md", "adapters.jsonl", adapter_table.TABLES),
        (CARD, "adapters.jsonl", {adapter_table.CLAIM_MARKER: adapter_table.claim_table}),
        ("../README.md", "adapters.jsonl", adapter_table.CLAIMS),
        ("adapters.md", "plan_times.jsonl", {plan_times.MARKER: plan_times.render}),
        ("adapters.md", "search_trials.jsonl", search.TABLES),
        ("scale.md", "scale.jsonl", {scale.MARKER: scale.render}),
        ("robustness.md", "flips.jsonl", flips.TABLES),
    ],
    ids=["adapters", "card", "readme", "times", "search", "scale", "flips"],
)
def test_tables_are_generated_from_the_raw_data(
    document: str, data: str, tables: Dict[str, Callable[[Any], str]]
) -> None:
    path: Path = DOCS / document
    text = path.read_text(encoding="utf-8")
    rows = read_rows(DOCS / "data" / data)
    assert rows
    for marker, table in tables.items():
        assert replace_table(text, table(rows), marker) == text


def test_a_million_messages_follow_from_the_rate() -> None:
    row = {"plan": "off", "messages": 2000, "answer_s": 2.0, "fit_s": 0.6}
    assert scale.render([row]).splitlines()[2] == "| `off` | 1000 | 0.6 | 16.7 | 1.1 | 0.3 |"


@pytest.mark.slow
def test_rates_are_those_of_certifys_jobs(tmp_path: Path) -> None:
    train = write_nlu(tmp_path / "nlu.yml", TRAIN)
    (row,) = scale.measure(train, CORPUS, ["off"])
    assert (row["messages"], row["jobs"]) == (len(CORPUS), 1)
    assert row["answer_s"] > 0
