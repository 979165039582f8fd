"""Our reports hold what those of `rasa test nlu` hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Dict, List, Tuple

import numpy as np
import pytest
from rasa.nlu.test import IntentEvaluationResult, evaluate_intents

from rasa_tokprune.commands.evaluate.reports import write_reports
from rasa_tokprune.commands.evaluate.runs import Answer


def random_pairs(n: int, n_intents: int) -> List[Tuple[str, str]]:
    # No two wrong answers of an intent are equally frequent: which is named first would be chance.
    rng = np.random.default_rng(n)
    pairs = [(f"i{a}", f"i{a}") for a in rng.integers(n_intents, size=n)]
    return pairs + [
        (f"i{a}", f"i{b}") for a in range(n_intents) for b in range(a) for _ in range(b)
    ]


@pytest.mark.parametrize(
    "pairs",
    [
        [("a", "a"), ("b", "a"), ("b", "b"), ("b", "c"), ("b", "c")],
        [("a", "a"), ("b", "b")],
        [("a", "b"), ("b", "a")],
        [("a", None), ("b", "b"), ("ünï 👍", "ünï 👍")],
        [("a", "never a target")],
        random_pairs(60, 5),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_the_same_files(pairs: List[Tuple[str, str]], tmp_path: Path) -> None:
    answers = [
        Answer(f"text {number}", intent, predicted, 0.1 + number / 100, 0.5, False, False)
        for number, (intent, predicted) in enumerate(pairs)
    ]
    answers.append(Answer("out of scope", None, "a", 0.5, 0.5, True, True))
    results = [IntentEvaluationResult(a.intent, a.predicted, a.text, a.confidence) for a in answers]
    for name in ("rasas", "ours"):
        (tmp_path / name).mkdir()
    evaluate_intents(results, str(tmp_path / "rasas"), True, True, True, True)
    write_reports(answers, tmp_path / "ours")
    rasas, ours = (read(tmp_path / name) for name in ("rasas", "ours"))
    assert sorted(rasas) == sorted(ours)
    for name, content in rasas.items():
        assert ours[name] == content, name


def read(folder: Path) -> Dict[str, object]:
    # Sums of floats depend on the order of the intents, which is chance in Rasa's report.
    return {
        path.name: json.loads(
            path.read_text("utf-8"), parse_float=lambda text: round(float(text), 9)
        )
        for path in folder.iterdir()
    }
