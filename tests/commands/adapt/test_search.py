"""`rasa-tokprune adapt --search`: which plans are tried, which go on, what is written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.commands.adapt.search.command import file_names
from rasa_tokprune.commands.adapt.search.halving import front, survivors
from rasa_tokprune.commands.adapt.search.space import (
    bucket_of,
    candidate_plans,
    cost_by_bucket,
    describe,
    sweep,
)
from rasa_tokprune.encoder import PruneMode, PruningPlan, load_encoder
from rasa_tokprune.encoder.plans.cost import plan_cost
from rasa_tokprune.encoder.plans.plan import ThresholdKind
from rasa_tokprune.errors import ConfigError
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
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "log.txt").write_text("\n".join(CORPUS * 2), encoding="utf-8")
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


def test_every_dimension_is_searched_and_no_plan_twice() -> None:
    plans = candidate_plans(6)
    assert plans[0].is_identity
    assert len({plan.fingerprint() for plan in plans}) == len(plans)
    assert {plan.mode for plan in plans} == set(PruneMode)
    assert {len(plan.kept_layers or ()) for plan in plans} == {6, 5, 4, 3}
    assert {plan.min_tokens for plan in plans} == {0, 16, 32}
    assert {min(plan.pruned_layers) for plan in plans if plan.pruned_layers} >= {0, 1, 2}
    assert any(plan.pruned_layers and len(plan.kept_layers or ()) < 6 for plan in plans)
    assert [plan.thresholds[1] for plan in sweep(6)] == [0.1, 0.2, 0.3, 0.4, 0.5]


@pytest.mark.parametrize("n_layers", [2, 3, 4, 12])
def test_there_are_plans_for_other_depths(n_layers: int) -> None:
    plans = candidate_plans(n_layers)
    assert all(plan.n_layers == n_layers for plan in plans)
    assert len({describe(plan) for plan in plans}) == len(plans)


@pytest.mark.parametrize(
    "plan",
    [
        PruningPlan(N_LAYERS, (0.0, 0.4, 0.3, 0.0)),
        PruningPlan(N_LAYERS, (0.5, 0.0, 0.0, 0.0), mode=PruneMode.DROP),
        PruningPlan(N_LAYERS, (0.5, 0.0, 0.0, 0.0), kept_layers=(0, 3), min_tokens=10),
    ],
    ids=describe,
)
def test_cost_from_lengths_is_what_the_encoder_spends(plan: PruningPlan, tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), prune=plan)
    kv_share = encoder.model.spec.kv_share
    for encoded in encoder.encode_detailed(CORPUS):
        n_tokens = len(encoded.tokens)
        expected = encoded.token_layers / (n_tokens * N_LAYERS)
        assert plan_cost(plan, n_tokens, 2, kv_share) == pytest.approx(expected)


def test_cost_of_absolute_thresholds_does_not_follow_from_lengths() -> None:
    plan = PruningPlan(2, (1.0, 0.0), kind="absolute")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="does not follow from lengths"):
        plan_cost(plan, 10, 2, 0.1)


def test_buckets() -> None:
    assert [bucket_of(n) for n in (1, 8, 9, 16, 17, 512, 600)] == [
        "1-8", "1-8", "9-16", "9-16", "17-32", "129-512", "129-512",
    ]  # fmt: skip
    costs = cost_by_bucket(PruningPlan(2, (0.5, 0.0), min_tokens=9), [4, 8, 12], 2, 0.1)
    assert costs["1-8"] == 1.0
    assert costs["9-16"] < 1.0


def test_the_front_is_what_nothing_beats() -> None:
    points = [(0.5, 0.7), (1.0, 0.8), (0.6, 0.6), (0.5, 0.6), (0.9, 0.8)]
    assert front(points) == [0, 4]
    assert survivors(points, 3) == [0, 1, 4], "of the second front the better score"
    assert survivors(points, 10) == [0, 1, 2, 3, 4]
    assert survivors(points, 1) == [4]


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


def test_plans_of_one_cost_have_files_of_their_own() -> None:
    assert file_names([0.851, 0.849, 0.5, 0.85]) == [
        "plan_085.json", "plan_085_2.json", "plan_050.json", "plan_085_3.json",
    ]  # fmt: skip


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
        (["--judge", "shop"], "--judge must be NAME=FILE, each name once; got 'shop'"),
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
