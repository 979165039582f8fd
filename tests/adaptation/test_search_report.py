"""Tables and plot of a search, from the rows of its trials."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Dict

from rasa_tokprune.adaptation.search import report
from rasa_tokprune.adaptation.search.plot import draw_search
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
    sweep_lines = report.sweep_table(rows[:3]).splitlines()
    assert sweep_lines[2] == "| 0 (cost 1.00) | 80.0 (90) | | | |"
    assert sweep_lines[3] == "| 0.3 (cost 0.85) | 78.0 (90) |  | 74.0 (90) |  |"
    lines = report.front_table(rows).splitlines()
    assert lines[2] == "| off | 1.00 | 80.0 (90) |  |  |  |"
    assert lines[3] == "| mild | 0.85 | 78.0 (90) | 81.0 (90) |  | 70.0 (90) |"
    assert len(lines) == 4
    draw_search(rows, tmp_path / "search.png")
    assert (tmp_path / "search.png").stat().st_size > 0
