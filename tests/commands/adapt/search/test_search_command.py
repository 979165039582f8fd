"""`rasa-tokprune adapt --search`: what is trained and measured, what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.commands.adapt.corpus import is_held_out
from rasa_tokprune.commands.adapt.search import trial
from rasa_tokprune.commands.adapt.search.space import candidate_plans
from rasa_tokprune.commands.adapt.training.loop import AdapterTraining
from rasa_tokprune.encoder import PruningPlan, load_encoder
from rasa_tokprune.encoder.plans.plan import ThresholdKind
from tests.bots_on_disk import write_nlu
from tests.checkpoints import CORPUS, N_LAYERS

pytestmark = pytest.mark.thorough

JUDGE = """version: "3.1"
nlu:
- intent: parcel
  examples: |
{parcel}
- intent: cancel
  examples: |
{cancel}
- intent: pay
  examples: |
{pay}
"""


def examples(*words: str) -> str:
    return "\n".join(
        f"    - {first} {second} the {third}"
        for first in ("where", "please", "hello")
        for second in words
        for third in ("parcel", "order", "card")
    )


@pytest.fixture
def arguments(tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> List[str]:
    monkeypatch.setenv("RASA_TOKPRUNE_CACHE", str(tmp_path / "cache"))
    (tmp_path / "log.txt").write_text(
        "\n".join([*CORPUS, *(f"please {text}" for text in CORPUS)]), encoding="utf-8"
    )
    content = JUDGE.format(
        parcel=examples("is", "find"), cancel=examples("cancel", "stop"), pay=examples("pay", "buy")
    )
    (tmp_path / "judge.yml").write_text(content, encoding="utf-8")
    return [
        "adapt", "--search", "--model", str(tiny_bert), "--texts", str(tmp_path / "log.txt"),
        "--judge", f"shop={tmp_path / 'judge.yml'}", "--search-steps", "0", "2", "--keep", "3",
        "--concatenations", "5", "--batch-size", "4", "--rank", "2", "--precision", "fp32",
        "--out", str(tmp_path / "found"), "--quiet",
    ]  # fmt: skip


def rows_of(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_a_search_writes_trials_controls_times_and_plans(
    arguments: List[str], tiny_bert: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 0
    table = capsys.readouterr().out
    folder = tmp_path / "found"
    rows = rows_of(folder / "trials.jsonl")
    first = [row for row in rows if row["steps"] == 0 and row["importance"] == "attention"]
    assert len(first) == len(candidate_plans(N_LAYERS))
    off = first[0]
    assert (off["cost"], off["agreement"]) == (1.0, 1.0)
    last = [row for row in rows if row["steps"] == 2 and row["importance"] == "attention"]
    assert len(last) == 3
    controls = [row for row in rows if row["importance"] != "attention"]
    assert {row["importance"] for row in controls} == {"random", "inverse"}
    for row in rows:
        assert sum(own["messages"] for own in row["judges"]["shop"]["by_length"].values()) > 0
        assert 0 <= row["accuracy"] <= 1
    times = rows_of(folder / "times.jsonl")
    assert {row["tokens"] for row in times} == {8, 16, 32, 64, 128, 256}
    assert all(row["median_ms"] > 0 for row in times)
    assert (folder / "search.png").stat().st_size > 0
    plans = [PruningPlan.load(path) for path in folder.glob("plan_*.json")]
    assert plans
    assert all(plan.name in table for plan in plans)
    encoder = load_encoder(str(tiny_bert), prune=plans[0])
    assert np.isfinite(encoder.encode(CORPUS)).all()


def test_a_search_goes_on_where_it_stopped(
    arguments: List[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(arguments) == 0
    written = (tmp_path / "found" / "trials.jsonl").read_text(encoding="utf-8")

    def fail(**_: Any) -> Dict[str, Any]:
        raise AssertionError("a finished trial was run again")

    monkeypatch.setattr("rasa_tokprune.commands.adapt.search.command.run_trial", fail)
    assert main(arguments) == 0
    assert (tmp_path / "found" / "trials.jsonl").read_text(encoding="utf-8") == written


def test_plans_of_ones_own_are_compared_on_several_judges(
    arguments: List[str], tmp_path: Path
) -> None:
    for name, quantile in (("b", 0.3), ("a", 0.5)):
        PruningPlan(N_LAYERS, (0.0, quantile, 0.0, 0.0)).save(tmp_path / f"{name}.json")
    own = ["--plans", str(tmp_path / "b.json"), str(tmp_path / "a.json")]
    own += ["--judge", f"again={tmp_path / 'judge.yml'}", "--search-steps", "0", "--keep"]
    assert main([*arguments, *own]) == 0
    rows = rows_of(tmp_path / "found" / "trials.jsonl")
    assert [(row["plan"]["name"], row["importance"]) for row in rows] == [
        (f"freeze {quantile}>1", importance)
        for importances in (["attention"], ["random", "inverse"])
        for quantile in (0.3, 0.5)
        for importance in importances
    ]
    for row in rows:
        each = [row["judges"][judge]["accuracy"] for judge in ("shop", "again")]
        assert row["accuracy"] == pytest.approx(np.mean(each))
    costs = [row["cost"] for row in rows[:2]]
    assert costs[0] > costs[1]


def test_labelled_messages_are_learned_from(arguments: List[str], tmp_path: Path) -> None:
    shop = {"parcel": ["where is it", "is it there"], "cancel": ["cancel my order", "stop it now"]}
    assert not any(is_held_out(text) for own in shop.values() for text in own)
    task = write_nlu(tmp_path / "task.yml", shop)
    PruningPlan(N_LAYERS, (0.0, 0.5, 0.0, 0.0)).save(tmp_path / "a.json")
    own = ["--plans", str(tmp_path / "a.json"), "--search-steps", "3", "--keep"]
    seen: List[Any] = []
    with pytest.MonkeyPatch.context() as patch:

        class Watched(AdapterTraining):
            def run(self, **given: Any) -> Any:
                found = super().run(**given)
                seen.append([(entry["stage"], entry["step"]) for entry in self.history])
                return found

        patch.setattr(trial, "AdapterTraining", Watched)
        assert main([*arguments, *own, "--task", f"bot={task}"]) == 0
        assert main([*arguments, *own]) == 0
    # The plan and its two controls each, with labels and without.
    stages = [["contrast"] * 2] * 3 + [["distillation"] * 2] * 3
    assert seen == [list(zip(own_stages, (0, 3))) for own_stages in stages]


def test_what_is_trained_on_cannot_judge(
    arguments: List[str], tmp_path: Path, refusal: Callable[[List[str]], str]
) -> None:
    judge = tmp_path / "judge.yml"
    assert "none that is a --task too" in refusal([*arguments, "--task", f"shop={judge}"])
    same = refusal([*arguments, "--task", f"other={judge}", "--texts", str(judge)])
    assert "every text to train on is one to judge by" in same


def test_a_plan_whose_cost_is_unknown_is_not_compared(
    arguments: List[str], tmp_path: Path, refusal: Callable[[List[str]], str]
) -> None:
    path = tmp_path / "absolute.json"
    PruningPlan(N_LAYERS, (1.0, 0.0, 0.0, 0.0), kind=ThresholdKind.ABSOLUTE).save(path)
    line = refusal([*arguments, "--plans", str(path)])
    assert "absolute.json' prunes by absolute thresholds; give quantiles" in line


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        (["--search-steps", "5", "2"], "--search-steps must rise"),
        (["--keep", "3", "2"], "--keep must have one number fewer"),
        (["--keep", "0"], "--keep must be at least 1"),
        (
            ["--judge", "shop"],
            "--judge must be NAME=FILE or a folder of *.yml, each name once; got 'shop'",
        ),
        (["--judge", "other=missing.yml"], "missing.yml' cannot be read"),
        (["--scheduler", "cloud"], "scheduler must be"),
        (["--strength", "0.5"], "--search makes no use of --strength"),
        (["--steps", "9"], "--search makes no use of --steps"),
        (["--device", "cpu"], "--search makes no use of --device"),
        (["--teacher-share", "0.5"], "--search makes no use of --teacher-share"),
    ],
)
def test_wrong_input_gives_one_line(
    arguments: List[str], changed: List[str], problem: str, refusal: Callable[[List[str]], str]
) -> None:
    assert problem in refusal([*arguments, *changed])
