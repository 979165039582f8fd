"""Tables of the shipped plans, from made-up rows."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping

import pytest

from benchmarks.accuracy.tables import TASKS
from benchmarks.adapters import new_bots
from benchmarks.adapters import tables as adapter_table

ENTRIES = ("off", "off, adapter light", "light", "balanced", "fast")
LEFT_OUT = (
    "off, adapter left_out_light",
    *(f"{plan}, adapter left_out_{plan}" for plan in ("light", "balanced", "fast")),
)
UNSEEN = ("off", "off+light", "light", "balanced", "fast")


def fixed_rows(accuracies: Mapping[str, float]) -> List[Dict[str, Any]]:
    """Returns rows of `evaluate`: each plan at one accuracy on every task."""
    about = {"cost": 0.5, "oos_auroc": 0.9, "ece": 0.05}
    return [
        {"plan": plan, "task": task, "accuracy": accuracies.get(plan, 0.7), **about}
        for plan in (*ENTRIES, *LEFT_OUT)
        for task in TASKS
    ]


def drawn_rows(accuracies: Mapping[str, float]) -> List[Dict[str, Any]]:
    """Returns rows of two sets with two draws each, one a point better and one a point worse."""
    return [
        {
            "plan": plan, "set": name, "seed": seed, "views": "two views", "oos_auroc": 0.9,
            "ece": 0.05, "accuracy": accuracies.get(plan, 0.6) + shift,
        }
        for plan in UNSEEN
        for name in ("cars", "hotels")
        for seed, shift in enumerate((0.01, -0.01))
    ]  # fmt: skip


def test_every_set_counts_alike_and_draws_of_one_are_averaged() -> None:
    fixed, drawn = fixed_rows({"light": 0.72}), drawn_rows({"light": 0.65})
    light = next(each for each in new_bots.ENTRIES if each.unseen == "light")
    own = new_bots.gains(fixed, drawn, light)
    assert set(own) == {*new_bots.REAL_USERS, "cars", "hotels"}
    assert own == pytest.approx({**dict.fromkeys(new_bots.REAL_USERS, 2.0), "cars": 5.0,
                                 "hotels": 5.0})  # fmt: skip
    line = new_bots.claim_table(fixed, drawn).splitlines()[4]
    # Means of 72, 72, 72, 65, 65, and of 2, 2, 2, 5, 5; their standard error.
    assert line.startswith("| `light`, the default | 0.50 | 69.2 | +3.2 ± 0.7 | +2.0 (")


def test_what_to_choose_by_holds_time_as_a_share_of_the_un_pruned_encoders() -> None:
    times = [
        {"plan": plan, "tokens": tokens, "median_ms": factor * tokens}
        for plan, factor in (("off", 1.0), ("light", 0.9), ("balanced", 0.6), ("fast", 0.4))
        for tokens in (8, 32, 128)
    ]
    lines = new_bots.choice_table(fixed_rows({}), drawn_rows({}), times).splitlines()
    assert {line.count("|") for line in lines} == {9}
    assert lines[2].endswith("|  |  | 1.00 | 1.00 | 1.00 |")
    assert lines[3].endswith("|  |  |  |")
    assert lines[4].endswith("| 0.90 | 0.90 | 0.90 |")


def test_left_out_tasks_are_those_of_the_adapter_without_them() -> None:
    fixed = fixed_rows({"light": 0.9, "light, adapter left_out_light": 0.75})
    lines = new_bots.new_bots_table(fixed, drawn_rows({})).splitlines()
    cells = [cell.strip() for cell in lines[4].split("|")]
    assert cells[1] == "`light`, the default"
    assert cells[-5:-1] == ["75.0"] * 4
    assert "90.0" in cells, "real users' tasks are the shipped adapter's"


def test_a_set_by_itself_has_the_error_over_its_bots() -> None:
    drawn = drawn_rows({"light": 0.65})
    drawn = [
        {**row, "accuracy": 0.67} if (row["plan"], row["seed"]) == ("light", 0) else row
        for row in drawn
    ]
    line = new_bots.new_sets_table(drawn).splitlines()[2]
    # 67 and 64 against 61 and 59: 6 and 5.
    assert "| cars | 60.0 |" in line
    assert "| +5.5 ± 0.5 |" in line


def test_what_an_adapter_has_seen_is_marked() -> None:
    lines = adapter_table.plans_table(fixed_rows({})).splitlines()
    marked = {line.split("|")[1].strip(" `"): line.count("*") for line in lines[2:]}
    assert marked["light"] == marked["off, adapter light"] == 4
    assert marked["off"] == marked["light, adapter left_out_light"] == 0


def test_time_is_a_share_of_the_un_pruned_encoders() -> None:
    row = {"tokens": 8, "backend": "native", "precision": "int8"}
    rows = [
        {**row, "plan": "off", "median_ms": 2.0, "cost": 1.0},
        {**row, "plan": "light", "median_ms": 1.5, "cost": 0.8},
    ]
    lines = adapter_table.times_table(rows).splitlines()
    assert lines[2:4] == ["| `off`, ms | 2.00 |", "| `light` | 0.75 / 0.80 |"]
