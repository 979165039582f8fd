"""Tables and plot of a search, from the rows of its trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

from benchmarks.adapters import search_tables
from rasa_tokprune.encoder import PruningPlan


def trial_row(name: str, cost: float, accuracy: float, **changed: Any) -> Dict[str, Any]:
    plan = PruningPlan(6, (0.0, 0.3 * (name != "off"), 0.0, 0.0, 0.0, 0.0), name=name)
    row = {
        "plan": plan.to_dict(), "fingerprint": name, "importance": "attention", "steps": 0,
        "cost": cost, "accuracy": accuracy, "agreement": 0.9, "judges": {"shop": {}},
    }  # fmt: skip
    return {**row, **changed}


def test_tables_say_what_the_rows_say(tmp_path: Path) -> None:
    rows = [
        trial_row("off", 1.0, 0.8),
        trial_row("mild", 0.85, 0.78),
        trial_row("mild", 0.85, 0.74, importance="random"),
        trial_row("bad", 0.9, 0.5),
        trial_row("mild", 0.85, 0.81, steps=60),
        trial_row("mild", 0.85, 0.7, steps=60, importance="inverse"),
    ]
    sweep_lines = search_tables.sweep_table(rows[:3]).splitlines()
    assert sweep_lines[2] == "| 0 (cost 1.00) | 80.0 (90) | | | |"
    assert sweep_lines[3] == "| 0.3 (cost 0.85) | 78.0 (90) |  | 74.0 (90) |  |"
    lines = search_tables.front_table(rows).splitlines()
    assert lines[2] == "| off | 1.00 | 80.0 (90) |  |  |  |"
    assert lines[3] == "| mild | 0.85 | 78.0 (90) | 81.0 (90) |  | 70.0 (90) |"
    assert len(lines) == 4
    search_tables.draw_trials(rows, tmp_path / "search.png")
    assert (tmp_path / "search.png").stat().st_size > 0


def test_plans_are_compared_with_their_controls_over_all_judges() -> None:
    judges = {name: {"accuracy": a, "agreement": 0.9} for name, a in (("b", 0.7), ("a", 0.9))}
    rows = [
        trial_row("off", 1.0, 0.8),
        trial_row("mild", 0.85, 0.8, judges=judges),
        trial_row("mild", 0.85, 0.74, judges=judges, importance="random"),
    ]
    head, _, line = search_tables.compared_table(rows).splitlines()
    assert head == "| plan | cost | a | b | mean | random tokens | most attended |"
    assert line == "| mild | 0.850 | 90.0 (90) | 70.0 (90) | 80.0 (90) | 74.0 (90) |  |"
