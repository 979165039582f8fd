"""The pruning settings of a configuration: which plan comes out, which contradictions are named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Callable, Dict, Type

import pytest
from rasa.engine.graph import GraphComponent
from rasa.shared.exceptions import InvalidConfigException

from rasa_tokprune.components.config.encoder import EncoderSettings
from rasa_tokprune.encoder import PruneMode, PruningPlan, ThresholdKind, resolve_plan
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.formats import Backend, Precision
from rasa_tokprune.encoder.plans.break_even import break_even
from rasa_tokprune.errors import ConfigError
from tests.components.checks import one_line

ON = (Backend.NATIVE, Precision.INT8)
ConfigOf = Callable[..., Dict[str, Any]]


@pytest.mark.parametrize("off", ["off", False], ids=["text", "YAML 1.1 reads off as False"])
@pytest.mark.parametrize(
    "override", [{"quantile": 0.3}, {"prune_layers": [1]}, {"prune_mode": "drop"}]
)
def test_off_contradicts_pruning_settings(
    component_class: Type[GraphComponent], config_of: ConfigOf, off: Any, override: Dict
) -> None:
    key, value = next(iter(override.items()))
    config = config_of(component_class, prune=off, **override)
    expected = re.escape(f"prune: off contradicts {key}: {value}")
    with pytest.raises(InvalidConfigException, match=expected) as error:
        component_class.fingerprint_addon(config)
    assert component_class.__name__ in one_line(error)


def test_yamls_false_is_off(component_class: Type[GraphComponent], config_of: ConfigOf) -> None:
    addons = {
        component_class.fingerprint_addon(config_of(component_class, prune=off))
        for off in ("off", False)
    }
    assert len(addons) == 1


@pytest.mark.parametrize(
    ("overrides", "problem"),
    [
        ({"quantile": [0.1, 0.2, 0.3]}, "quantile has 3 values for 1 prune_layers [1]"),
        ({"quantile": [0.1], "prune_layers": [0, 1]}, "quantile has 1 values for 2 prune_layers"),
    ],
)
def test_quantiles_and_layers_must_agree(
    component_class: Type[GraphComponent], config_of: ConfigOf, overrides: Dict, problem: str
) -> None:
    with pytest.raises(InvalidConfigException, match=re.escape(problem)) as error:
        component_class.fingerprint_addon(config_of(component_class, **overrides))
    message = one_line(error)
    assert "one for each layer" in message
    assert component_class.__name__ in message


def plan_of(n_layers: int = 6, **settings: Any) -> PruningPlan:
    return EncoderSettings.from_config(settings).plan(n_layers, *ON)


def test_the_default_is_the_shipped_gentle_plan() -> None:
    assert plan_of() == resolve_plan("gentle", 6)
    assert plan_of(prune="off").is_identity


def test_overrides_change_only_what_they_name() -> None:
    gentle = resolve_plan("gentle", 6)
    (layer,) = gentle.pruned_layers
    plan = plan_of(quantile=0.15)
    assert plan.pruned_layers == (layer,)
    assert plan.thresholds[layer] == 0.15
    assert (plan.mode, plan.min_tokens) == (gentle.mode, gentle.min_tokens)
    moved = plan_of(prune_layers=[2, 4])
    assert moved.pruned_layers == (2, 4)
    assert moved.thresholds[2] == moved.thresholds[4] == gentle.thresholds[layer]
    assert plan_of(prune_mode="drop").mode is PruneMode.DROP
    assert plan_of(prune_mode="drop").thresholds == gentle.thresholds
    assert plan_of(min_tokens=7).min_tokens == 7
    assert plan_of(min_tokens=0).min_tokens == 0, "0 is a value, not an absent one"


def test_one_quantile_for_each_layer() -> None:
    plan = plan_of(quantile=[0.1, 0.4], prune_layers=[3, 0])
    assert plan.thresholds == (0.4, 0.0, 0.0, 0.1, 0.0, 0.0)


def test_quantile_zero_keeps_every_token() -> None:
    assert plan_of(quantile=0.0).is_identity


def test_a_plan_for_another_depth_names_both_depths(
    component_class: Type[GraphComponent], config_of: ConfigOf
) -> None:
    config = config_of(component_class, prune="gentle")
    with pytest.raises(InvalidConfigException, match=r"6.* layers, but this encoder has 4"):
        component_class.fingerprint_addon(config)


@pytest.mark.parametrize("prune", [None, "gentle"])
def test_the_advice_for_another_depth_works(
    component_class: Type[GraphComponent], config_of: ConfigOf, prune: Any
) -> None:
    # The error above says: "set quantile and prune_layers yourself".
    settings = {"prune": prune, "quantile": 0.3, "prune_layers": [1]}
    assert component_class.fingerprint_addon(config_of(component_class, **settings))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("{", "is not valid JSON"),
        ("[]", "expected a JSON object"),
        ("{}", "'n_layers' is missing"),
        ('{"n_layers": 4, "threshold": [0.1]}', "Did you mean 'thresholds'?"),
        ('{"n_layers": 4, "thresholds": [0.1]}', "one number per layer"),
        ('{"n_layers": 4, "thresholds": [2, 0, 0, 0]}', "[0, 1)"),
    ],
)
def test_a_wrong_plan_file_gives_one_line(
    component_class: Type[GraphComponent],
    config_of: ConfigOf,
    plan_path: Path,
    content: str,
    problem: str,
) -> None:
    plan_path.write_text(content, encoding="utf-8")
    with pytest.raises(InvalidConfigException, match=re.escape(problem)) as error:
        component_class.fingerprint_addon(config_of(component_class))
    assert str(plan_path) in one_line(error)


@pytest.mark.parametrize(
    "override",
    [{"quantile": 0.3}, {"prune_layers": [1]}, {"prune_mode": "drop"}, {"min_tokens": 5}],
    ids=str,
)
def test_a_plan_that_prunes_nothing_has_nothing_to_override(override: Dict[str, Any]) -> None:
    # The tiny encoder has four layers, for which no plan is shipped.
    settings = EncoderSettings.from_config(override)
    with pytest.raises(ConfigError, match="give both quantile and prune_layers"):
        settings.plan(4, *ON)


def test_quantile_on_an_absolute_plan_is_a_quantile(tmp_path: Path) -> None:
    plan = PruningPlan(4, (0.0, 1.2, 0.0, 0.0), kind=ThresholdKind.ABSOLUTE)
    plan.save(tmp_path / "absolute.json")
    keys = {"prune": str(tmp_path / "absolute.json")}
    changed = EncoderSettings.from_config({**keys, "quantile": 0.3}).plan(4, *ON)
    assert changed.kind is ThresholdKind.QUANTILE
    assert changed.thresholds == (0.0, 0.3, 0.0, 0.0)
    moved = EncoderSettings.from_config({**keys, "prune_layers": [2]}).plan(4, *ON)
    assert moved.kind is ThresholdKind.ABSOLUTE
    assert moved.thresholds == (0.0, 0.0, 1.2, 0.0)


@pytest.mark.parametrize("runs", [ON, (Backend.TORCH, Precision.BF16)])
def test_the_default_plan_is_the_shipped_one_on_every_backend(runs: Any) -> None:
    folder = find_checkpoint(DEFAULT_MODEL)
    spec = EncoderSpec.from_folder(folder)
    default = EncoderSettings.from_config({}).plan_for(folder, spec, *runs)
    assert default == resolve_plan(default.name, 6)
    named = EncoderSettings.from_config({"prune": default.name}).plan_for(folder, spec, *runs)
    assert named == default, "to leave the key out is to name the plan"


@pytest.mark.parametrize("runs", [ON, (Backend.TORCH, Precision.BF16)])
def test_min_tokens_auto_is_the_measured_length(runs: Any) -> None:
    automatic = EncoderSettings.from_config({"prune": "paper", "min_tokens": "auto"})
    assert automatic.plan(6, *runs).min_tokens == break_even(*runs)
    assert EncoderSettings.from_config({"prune": "gentle"}).plan(6, *runs).min_tokens == 32
