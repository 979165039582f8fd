"""Which plans a search tries, what each costs, and which go on."""

from __future__ import annotations

from pathlib import Path

import pytest

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
from rasa_tokprune.errors import ConfigError
from tests.checkpoints import CORPUS, N_LAYERS


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


def test_plans_of_one_cost_have_files_of_their_own() -> None:
    assert file_names([0.851, 0.849, 0.5, 0.85]) == [
        "plan_085.json", "plan_085_2.json", "plan_050.json", "plan_085_3.json",
    ]  # fmt: skip
