"""Tables and plot of accuracy and trust come from rows alone."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

import pytest

from benchmarks import tables
from benchmarks.accuracy.plot import curve_points
from benchmarks.accuracy.tables import (
    accuracy_table,
    claim_table,
    precisions_table,
    trust_table,
)
from benchmarks.conftest import Repository

Measured = Tuple[List[Dict[str, Any]], List[Dict[str, Any]]]

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
def measured() -> Measured:
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
    return evaluation, pipelines


def test_accuracy(measured: Measured) -> None:
    table = accuracy_table(*measured).splitlines()
    assert table[0] == "| accuracy % | banking77_5shot | sofmattress |"
    assert table[2] == "| our classifier, un-pruned, int8 | 85.0 | 82.0 |"
    assert table[3] == "| our classifier, plan `gentle`, int8 | 70.0 |  |"
    assert table[4] == "| our classifier in Rasa, un-pruned |  | 82.0 |"
    assert table[5] == "| Rasa's default (DIET) |  | 50.0 |"
    assert table[6] == "| CPFT (published, fine-tuned) | 80.9 |  |"
    assert "| Haptik, HINT3 v1 (published) |  | 72.3 |" in table
    assert all("(published" in line for line in table[6:] if line.startswith("|"))


def test_trust(measured: Measured) -> None:
    table = trust_table(*measured).splitlines()
    assert table[2:7] == [
        "| banking77_5shot | our classifier, un-pruned, int8 | 0.040 |  |  | 5.0 |  |",
        "| banking77_5shot | our classifier, plan `gentle`, int8 | 0.040 |  |  | 5.0 |  |",
        "| sofmattress | our classifier, un-pruned, int8 | 0.040 | 0.900 | 60.0 | 5.0 |  |",
        "| sofmattress | our classifier in Rasa, un-pruned | 0.200 |  |  | 10.0 | 2.0 |",
        "| sofmattress | Rasa's default (DIET) | 0.200 | 0.700 | 25.0 | 10.0 | 2.0 |",
    ]


def test_claim(measured: Measured) -> None:
    table = claim_table(*measured).splitlines()
    assert table[0].endswith("| sofmattress |")
    assert "| our classifier, un-pruned, int8 | 0.90: 60 / 5 |" in table
    assert "| Rasa's default (DIET) | 0.70: 25 / 10 |" in table


def test_points_without_a_value_are_left_out() -> None:
    assert curve_points(CURVE, "accuracy") == [(100.0, 80.0), (50.0, 90.0)]
    nan = [{**CURVE[2], "accuracy": float("nan")}]
    assert curve_points(nan, "accuracy") == []


def test_precisions() -> None:
    row = {"backend": "torch", "precision": "fp32", "plan": "off", "cosine_mean": 1.0}
    other = {**row, "plan": "gentle", "cosine_mean": 0.95}
    rows = [
        {**own, "task": task, "accuracy": accuracy, "same_answers": 1.0}
        for own in (row, other)
        for task, accuracy in (("a", 0.8), ("b", 0.9))
    ]
    assert precisions_table(rows).splitlines() == [
        "| format | a | b | mean | same answers % | cosine |",
        "|---|--:|--:|--:|--:|--:|",
        "| torch fp32 | 80.0 | 90.0 | 85.0 | 100.0 | 1.0000 |",
        "| torch fp32, `gentle` | 80.0 | 90.0 | 85.0 | 100.0 | 0.9500 |",
    ]


def test_command(repository: Repository) -> None:
    evaluation = [evaluated("clinc150_5shot", 0.9, oos_auroc=0.95, oos_recall=0.8)]
    pipelines = [piped("clinc150_5shot", "diet", 0.6, oos_auroc=0.7, oos_recall=0.1)]
    precision = {"backend": "torch", "precision": "fp32", "plan": "off", "task": "clinc150"}
    precision.update(accuracy=0.9, same_answers=1.0, cosine_mean=1.0)
    unseen = {"set": "cars", "seed": 0, "plan": "off", "n_way": 9, "accuracy": 0.7, "ece": 0.05}
    unseen.update(oos_auroc=0.9, oos_recall=0.75, in_scope_rejection=0.05)
    rows = {
        "evaluation": evaluation,
        "pipelines": pipelines,
        "precisions": [precision],
        "unseen": [
            {**unseen, "views": "embedding alone"},
            {**unseen, "views": "two views", "accuracy": 0.725},
        ],
    }
    for name, own in rows.items():
        repository.write_rows("accuracy", f"{name}.jsonl", own)
    document = repository.write_document(
        "docs/accuracy.md", "decisions_accuracy", "decisions_trust", "unseen", "unseen_sets"
    )
    repository.write_document("docs/fallback.md", "decisions_claim")
    repository.write_document("docs/benchmarks.md", "precisions")
    assert tables.main(["accuracy"]) == 0
    text = document.read_text()
    assert "| Rasa's default (DIET) | 60.0 |" in text
    assert "| clinc150_5shot | Rasa's default (DIET) | 0.200 | 0.700 | 10.0 |" in text
    assert "| `off` | two views | 72.5 | +2.5 | 0.900 | 0.050 | 75.0 | 5.0 |" in text
    assert "| cars | 9 | 70.0 | 72.5 |" in text
    plot = repository.root / "docs" / "accuracy.png"
    assert plot.read_bytes().startswith(b"\x89PNG")
