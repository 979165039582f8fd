"""docs/monitoring.md lists every metric, span and outcome, as the code has them."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any, Dict, List

import rasa_tokprune
from rasa_tokprune.components.shadow.compare import OUTCOMES
from rasa_tokprune.monitoring.spans import ATTRIBUTES
from tests.real_data import ROOT

PAGE = (ROOT / "docs" / "monitoring.md").read_text(encoding="utf-8")


def rows(head: str) -> List[List[str]]:
    """Returns the cells of the table below a head."""
    _, _, rest = PAGE.partition(head)
    lines = rest.strip().splitlines()[1:]
    table = lines[: next(n for n, line in enumerate(lines) if not line.startswith("|"))]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def declared() -> Dict[str, Dict[str, Any]]:
    """Returns kind, meaning and label of every metric; prometheus_client need not be there."""
    path = Path(rasa_tokprune.__file__).parent / "monitoring" / "meters.py"
    found: Dict[str, Dict[str, Any]] = {}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "METERS":
            assert isinstance(node.value, ast.Dict)
            for key, call in zip(node.value.keys, node.value.values):
                assert isinstance(key, ast.Constant)
                assert isinstance(call, ast.Call)
                kind, meaning = call.args[:2]
                label = {word.arg: word.value for word in call.keywords}.get("label")
                found[str(key.value)] = {
                    "kind": kind.id.lower(),  # type: ignore[attr-defined]
                    "meaning": meaning.value,  # type: ignore[attr-defined]
                    "label": "component" if label is None else label.id.lower(),  # type: ignore[attr-defined]
                }
    return found


def test_every_metric_has_its_row() -> None:
    metrics = declared()
    assert len(metrics) == 10
    assert rows("| metric | kind | label | what it is |\n") == [
        [f"`{name}`", own["kind"], f"`{own['label']}`", own["meaning"]]
        for name, own in metrics.items()
    ]


def test_every_span_has_its_row() -> None:
    found = rows("| span | around | attributes, each behind `rasa_tokprune.` |\n")
    assert {name.strip("`"): tuple(re.findall(r"`(\w+)`", keys)) for name, _, keys in found} == (
        ATTRIBUTES
    )


def test_every_outcome_has_its_row() -> None:
    assert [name.strip("`") for name, _ in rows("| `outcome` | what it means |\n")] == [*OUTCOMES]


def test_questions_ask_for_metrics_that_are_there() -> None:
    asked = set(re.findall(r"rasa_tokprune_\w+", PAGE))
    shown = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked}
    assert shown == set(declared())
