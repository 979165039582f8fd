"""A published bot keeps its accuracy with this package's classifier."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.rasa.cross_validation import cross_validate, own_pipeline
from benchmarks.rows import read_rows

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

CLASSIFIER = {"name": "rasa_tokprune.TokPruneIntentClassifier"}


def test_financial_demo_cross_validation_is_not_below_its_own_pipeline(
    financial_demo: Path,
) -> None:
    measured_before = read_rows(Path(__file__).with_name("financial_demo.jsonl"))
    rows = {row["pipeline"]: row for row in measured_before}
    fallback = [c for c in own_pipeline(financial_demo) if c["name"] == "FallbackClassifier"]
    measured = cross_validate(
        financial_demo, [{"name": "rasa_tokprune.TokPruneIntentClassifier"}, *fallback]
    )
    assert measured["f1"] >= rows["own (DIET)"]["f1"]
