"""Plans: values checked, JSON round trip, overrides, shipped files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rasa_tokprune.encoder import (
    PruneMode,
    PruningPlan,
    plan_from_quantile,
    resolve_plan,
    shipped_plans,
)
from rasa_tokprune.errors import ConfigError


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"thresholds": (0, 1.0)}, r"quantile must be in \[0, 1\), got 1.0 for layer 1"),
        ({"thresholds": (-0.1, 0)}, r"quantile must be in \[0, 1\), got -0.1 for layer 0"),
        ({"thresholds": (float("nan"), 0)}, "threshold must be a number, got nan"),
        ({"thresholds": ("a", 0)}, "threshold must be a number, got 'a'"),
        ({"thresholds": (0.1,)}, "one number per layer .2., got 1"),
        ({"kept_layers": (0, 2)}, "layer 2 does not exist; the encoder has layers 0 to 1"),
        ({"kept_layers": ()}, "kept_layers is empty"),
        ({"kept_layers": (1, 0)}, "must be ascending"),
        ({"kept_layers": (1,), "thresholds": (0.3, 0)}, "layer 0 is skipped"),
        ({"mode": "melt"}, "mode must be one of drop, freeze; got 'melt'"),
        ({"drop_end": "yes"}, "drop_end must be true or false, got 'yes'"),
        ({"min_tokens": -1}, "min_tokens must be a whole number >= 0, got -1"),
        ({"kind": "absolute", "thresholds": (-1, 0)}, "absolute threshold must be >= 0"),
    ],
)
def test_wrong_values(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        PruningPlan(**{"n_layers": 2, **settings})


def test_round_trip_keeps_everything(tmp_path: Path) -> None:
    plan = PruningPlan(
        4, (0.1, 0.0, 0.5, 0.0), mode=PruneMode.DROP, min_tokens=9, kept_layers=(0, 2, 3),
        drop_end=True, name="mine", provenance={"data": "none"},
    )  # fmt: skip
    plan.save(tmp_path / "plan.json")
    assert PruningPlan.load(tmp_path / "plan.json") == plan
    assert resolve_plan(str(tmp_path / "plan.json"), 4) == plan


def test_fingerprint_ignores_names_and_sees_everything_else() -> None:
    plan = plan_from_quantile(0.3, [1], 4)
    assert plan.fingerprint() == plan_from_quantile(0.3, [1], 4, name="other").fingerprint()
    others = [
        plan_from_quantile(0.2, [1], 4),
        plan_from_quantile(0.3, [2], 4),
        plan_from_quantile(0.3, [1], 5),
        plan_from_quantile(0.3, [1], 4, mode=PruneMode.DROP),
        plan_from_quantile(0.3, [1], 4, min_tokens=1),
        PruningPlan(4, plan.thresholds, kept_layers=(0, 1, 2)),
        PruningPlan(4, plan.thresholds, kind="absolute"),
    ]
    assert len({plan.fingerprint(), *(other.fingerprint() for other in others)}) == 8


def test_identity() -> None:
    assert PruningPlan.identity(3).is_identity
    assert resolve_plan("off", 3).is_identity
    assert plan_from_quantile(0.0, [1], 3).is_identity
    assert not PruningPlan(3, kept_layers=(0, 1)).is_identity


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "expected a JSON object, got list"),
        ("{", "is not valid JSON"),
        ("{}", "key 'n_layers' is missing"),
        (json.dumps({"n_layers": 2, "quantils": []}), "unknown key 'quantils'"),
        (json.dumps({"n_layers": 2, "mod": "drop"}), "Did you mean 'mode'"),
        (json.dumps({"n_layers": 2, "thresholds": 0.3}), "thresholds must be a list, got 0.3"),
        (json.dumps({"n_layers": 2, "thresholds": [2, 0]}), r"quantile must be in \[0, 1\)"),
    ],
)
def test_damaged_plan_files(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "plan.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=message) as error:
        PruningPlan.load(path)
    assert str(path) in str(error.value)


def test_plan_for_another_depth_is_refused(tmp_path: Path) -> None:
    plan_from_quantile(0.3, [1], 6).save(tmp_path / "six.json")
    with pytest.raises(ConfigError, match="6 layers, but this encoder has 12"):
        resolve_plan(str(tmp_path / "six.json"), 12)


def test_unwritable_plan_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        PruningPlan.identity(2).save(tmp_path / "no" / "folder.json")


def test_quantiles_and_layers_must_agree() -> None:
    with pytest.raises(ConfigError, match="quantile has 2 values for 1 prune_layers"):
        plan_from_quantile([0.1, 0.2], [1], 4)
    with pytest.raises(ConfigError, match="prune_layers: layer 4 does not exist"):
        plan_from_quantile(0.1, [4], 4)


def test_shipped_plans_load_and_say_where_they_come_from() -> None:
    plans = shipped_plans()
    assert {"paper", "gentle"} <= set(plans)
    for name, versions in plans.items():
        for plan in versions:
            assert plan.provenance["source"]
            assert resolve_plan(name, plan.n_layers) == plan
