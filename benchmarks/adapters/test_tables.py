"""Tables of the shipped plans, from made-up rows."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

from benchmarks.accuracy.tables import TASKS
from benchmarks.adapters import tables as adapter_table


def rows_of(plan: str, accuracy: float, tasks: Sequence[str] = TASKS) -> List[Dict[str, Any]]:
    return [{"plan": plan, "task": task, "accuracy": accuracy, "cost": 0.5} for task in tasks]


def test_gains_are_against_the_un_pruned_model() -> None:
    rows = [*rows_of("off", 0.8), *rows_of("light", 0.81)]
    lines = adapter_table.plans_table(rows).splitlines()
    assert lines[2].endswith("| 80.0 |  |  |")
    assert lines[3].startswith("| `light` | 0.500 | 81.0 |")
    assert lines[3].endswith("| 81.0 | +1.0 | +1.0 |")
    assert len(lines) == 4


def test_the_claim_says_what_the_rows_say() -> None:
    seen = [task for task in TASKS if task not in adapter_table.REAL_USERS]
    new = adapter_table.REAL_USERS
    rows = [*rows_of("off", 0.7), *rows_of("fast", 0.8, seen), *rows_of("fast", 0.66, new)]
    line = adapter_table.claim_line(rows)
    assert (
        "to 50% of the token-layers, and adapted to it (`fast`), the encoder answers 74.0%" in line
    )
    assert "un-pruned 70.0%; of the three with messages of real users 66.0% and 70.0%" in line


def test_time_is_a_share_of_the_un_pruned_encoders() -> None:
    row = {"tokens": 8, "backend": "native", "precision": "int8"}
    rows = [
        {**row, "plan": "off", "median_ms": 2.0, "cost": 1.0},
        {**row, "plan": "light", "median_ms": 1.5, "cost": 0.8},
    ]
    lines = adapter_table.times_table(rows).splitlines()
    assert lines[2:4] == ["| `off`, ms | 2.00 |", "| `light` | 0.75 / 0.80 |"]
