"""Tables and plot of decisions come from rows alone."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from rasa_tokprune.evaluation import decision_table
from rasa_tokprune.evaluation.decision_plot import curve_points

CURVE = [
    {"threshold": 0.0, "coverage": 1.0, "accuracy": 0.8, "out_of_scope_recall": 0.0},
    {"threshold": 0.5, "coverage": 0.5, "accuracy": 0.9, "out_of_scope_recall": 0.7},
    {"threshold": 1.0, "coverage": 0.0, "accuracy": None, "out_of_scope_recall": 1.0},
]


def evaluated(task: str, accuracy: float, **fields: Any) -> Dict[str, Any]:
    made = {"task": task, "shots": "all", "plan": "off", "model": "all-MiniLM-L6-v2"}
    made.update(precision="int8", accuracy=accuracy, ece=0.04, in_scope_rejection=0.05)
    return {**made, "right_rejection": None, "curve": CURVE, **fields}


def piped(task: str, pipeline: str, accuracy: float, **fields: Any) -> Dict[str, Any]:
    made = {"task": task, "pipeline": pipeline, "accuracy": accuracy, "ece": 0.2}
    made.update(in_scope_rejection=0.1, right_rejection=0.02, curve=CURVE)
    return {**made, **fields}


@pytest.fixture
def lines() -> decision_table.Lines:
    evaluation = [
        evaluated("sofmattress", 0.82, oos_auroc=0.9, oos_recall=0.6),
        evaluated("banking77_5shot", 0.80, seed=0),
        evaluated("banking77_5shot", 0.90, seed=1),
        evaluated("banking77_5shot", 0.7, plan="gentle"),
        evaluated("banking77_5shot", 0.2, shots=1),
    ]
    pipelines = [
        piped("sofmattress", "diet", 0.5, oos_auroc=0.7, oos_recall=0.25),
        piped("sofmattress", "tokprune", 0.82),
    ]
    return decision_table.measured_lines(evaluation, pipelines)


def test_accuracy(lines: decision_table.Lines) -> None:
    table = decision_table.render_accuracy(lines).splitlines()
    assert table[0] == "| accuracy % | banking77_5shot | sofmattress |"
    assert table[2] == "| our classifier, un-pruned, int8 | 85.0 | 82.0 |"
    assert table[3] == "| our classifier, plan `gentle`, int8 | 70.0 |  |"
    assert table[4] == "| our classifier in Rasa, un-pruned |  | 82.0 |"
    assert table[5] == "| Rasa's default (DIET) |  | 50.0 |"
    assert table[6] == "| CPFT (published, fine-tuned) | 80.9 |  |"
    assert "| Haptik, HINT3 v1 (published) |  | 72.3 |" in table
    assert all("(published" in line for line in table[6:] if line.startswith("|"))


def test_trust(lines: decision_table.Lines) -> None:
    table = decision_table.render_trust(lines).splitlines()
    assert table[2:7] == [
        "| banking77_5shot | our classifier, un-pruned, int8 | 0.040 |  |  | 5.0 |  |",
        "| banking77_5shot | our classifier, plan `gentle`, int8 | 0.040 |  |  | 5.0 |  |",
        "| sofmattress | our classifier, un-pruned, int8 | 0.040 | 0.900 | 60.0 | 5.0 |  |",
        "| sofmattress | our classifier in Rasa, un-pruned | 0.200 |  |  | 10.0 | 2.0 |",
        "| sofmattress | Rasa's default (DIET) | 0.200 | 0.700 | 25.0 | 10.0 | 2.0 |",
    ]


def test_claim(lines: decision_table.Lines) -> None:
    table = decision_table.render_claim(lines).splitlines()
    assert table[0].endswith("| sofmattress |")
    assert "| our classifier, un-pruned, int8 | 0.90: 60 / 5 |" in table
    assert "| Rasa's default (DIET) | 0.70: 25 / 10 |" in table


def test_points_without_a_value_are_left_out() -> None:
    assert curve_points(CURVE, "accuracy") == [(100.0, 80.0), (50.0, 90.0)]
    nan = [{**CURVE[2], "accuracy": float("nan")}]
    assert curve_points(nan, "accuracy") == []


def test_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files: Dict[str, List[Dict[str, Any]]] = {
        "evaluation": [evaluated("clinc150_5shot", 0.9, oos_auroc=0.95, oos_recall=0.8)],
        "pipelines": [piped("clinc150_5shot", "diet", 0.6, oos_auroc=0.7, oos_recall=0.1)],
    }
    for name, rows in files.items():
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{name}.jsonl").write_text(text, encoding="utf-8")
    document = tmp_path / "accuracy.md"
    markers = (decision_table.ACCURACY_MARKER, decision_table.TRUST_MARKER)
    end = "<!-- end table -->"
    document.write_text("".join(f"Text\n<!-- table:{name} -->\n{end}\n" for name in markers))
    data = [part for name in files for part in (f"--{name}", str(tmp_path / f"{name}.jsonl"))]
    plot = tmp_path / "accuracy.png"
    monkeypatch.setattr(
        sys, "argv", ["decision_table", *data, "--markdown", str(document), "--plot", str(plot)]
    )
    decision_table.main()
    text = document.read_text()
    assert "| Rasa's default (DIET) | 60.0 |" in text
    assert "| clinc150_5shot | Rasa's default (DIET) | 0.200 | 0.700 | 10.0 |" in text
    assert plot.read_bytes().startswith(b"\x89PNG")
