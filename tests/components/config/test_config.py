"""Settings: every wrong value gives one line that says where, what, and what to do instead."""

from __future__ import annotations

import re
from typing import Any, Callable, Dict, Type

import pytest
from rasa.engine.graph import GraphComponent
from rasa.shared.exceptions import InvalidConfigException

from rasa_tokprune.components.config.encoder import ENCODER_DEFAULTS
from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector
from tests.components.checks import one_line

ConfigOf = Callable[..., Dict[str, Any]]
Make = Callable[..., Any]


# key, wrong value, part of what the user is told to write instead
WRONG_VALUES = [
    ("model", 5, "a folder or a hub id"),
    ("model", None, "a folder or a hub id"),
    ("model", "", "a folder or a hub id"),
    ("revision", 1.2, "a branch, tag or commit"),
    ("cache_dir", ["cache"], "a folder"),
    ("cache_dir", "", "a folder"),
    ("local_files_only", "yes", "true, false or null"),
    ("local_files_only", 1, "true, false or null"),
    ("adapter", None, "'auto', 'off'"),
    ("adapter", "balancd", "no adapter"),
    ("device", 0, "'cpu', 'cuda'"),
    ("device", None, "'cpu', 'cuda'"),
    ("device", "gpu", "'cpu', 'cuda'"),
    ("backend", None, "'auto', 'torch', 'onnx' or 'native'"),
    ("backend", "onxx", "Did you mean 'onnx'?"),
    ("precision", 8, "'auto', 'int8', 'bf16' or 'fp32'"),
    ("precision", "int4", "Did you mean 'int8'?"),
    ("precision", "bf61", "Did you mean 'bf16'?"),
    ("num_threads", 0, ">= 1"),
    ("num_threads", "two", "a whole number"),
    ("num_threads", True, "a whole number"),
    ("cache_size", -1, ">= 0"),
    ("cache_size", None, ">= 0"),
    ("batch_size", None, ">= 1"),
    ("batch_size", -1, ">= 1"),
    ("batch_size", 2.5, "a whole number"),
    ("max_length", 2, ">= 3"),
    ("max_length", "all", "a whole number"),
    ("max_length", 500, "[3, 80]"),
    ("prune", 0.3, "a shipped plan's name"),
    ("prune", True, "a shipped plan's name"),
    ("prune", "gentel", "Did you mean 'gentle'?"),
    ("prune", "no-such-plan.json", "cannot be read"),
    ("quantile", 1.0, "0.0 keeps every token"),
    ("quantile", -0.1, "[0, 1)"),
    ("quantile", "0.3", "[0, 1)"),
    ("quantile", True, "[0, 1)"),
    ("quantile", float("nan"), "[0, 1)"),
    ("prune_layers", 1, "a list of different layer numbers"),
    ("prune_layers", [], "a list of different layer numbers"),
    ("prune_layers", [1, 1], "a list of different layer numbers"),
    ("prune_layers", ["1"], "a list of different layer numbers"),
    ("prune_layers", [4], "layers 0 to 3"),
    ("prune_layers", [-1], "layers 0 to 3"),
    ("prune_mode", "drob", "Did you mean 'drop'?"),
    ("prune_mode", 3, "drop, freeze"),
    ("min_tokens", -1, ">= 0"),
    ("min_tokens", "many", "a whole number"),
    ("bundle_encoder", "true", "true or false"),
    ("bundle_encoder", None, "true or false"),
]


def check_message(
    component: Type[GraphComponent], error: pytest.ExceptionInfo, key: str, value: Any, advice: str
) -> None:
    message = one_line(error)
    assert message.startswith(f"{component.__name__}: ")
    assert message.count(component.__name__) == 1
    assert re.search(rf"\b{key}\b", message)
    wrong = value[0] if isinstance(value, list) and len(value) == 1 else value
    assert repr(wrong) in message
    assert advice in message


@pytest.mark.parametrize(("key", "value", "advice"), WRONG_VALUES)
def test_a_wrong_value_gives_one_line(
    component_class: Type[GraphComponent],
    train_as_rasa_does: Make,
    config_of: ConfigOf,
    key: str,
    value: Any,
    advice: str,
) -> None:
    with pytest.raises(InvalidConfigException, match=key) as error:
        train_as_rasa_does(component_class, config_of(component_class, **{key: value}))
    check_message(component_class, error, key, value, advice)


@pytest.mark.parametrize("value", [-1, None, "all", True, 2.0])
def test_a_wrong_ranking_length_gives_one_line(
    train_as_rasa_does: Make, config_of: ConfigOf, value: Any
) -> None:
    config = config_of(TokPruneIntentClassifier, ranking_length=value)
    with pytest.raises(InvalidConfigException, match="ranking_length") as error:
        train_as_rasa_does(TokPruneIntentClassifier, config)
    check_message(TokPruneIntentClassifier, error, "ranking_length", value, ">= 0")


@pytest.mark.parametrize(
    ("key", "value", "advice"),
    [
        ("retrieval_intent", 5, "null for all of them"),
        ("retrieval_intent", "", "null for all of them"),
        ("retrieval_intent", "faq/parcel", "the part before the slash, 'faq'"),
        ("ranking_length", -1, ">= 0"),
        ("lexical_weight", -0.5, "a number from 0"),
        ("use_intent_names", "yes", "true or false"),
        ("cross_validation", 1, "true or false"),
        ("target_in_scope_rejection", 1.5, "a number in [0, 1)"),
    ],
)
def test_a_wrong_value_of_the_selector_gives_one_line(
    train_as_rasa_does: Make, config_of: ConfigOf, key: str, value: Any, advice: str
) -> None:
    config = config_of(TokPruneResponseSelector, **{key: value})
    with pytest.raises(InvalidConfigException, match=key) as error:
        train_as_rasa_does(TokPruneResponseSelector, config)
    check_message(TokPruneResponseSelector, error, key, value, advice)


def test_only_the_classifier_chooses_a_plan(config_of: ConfigOf) -> None:
    for component in (TokPruneFeaturizer, TokPruneResponseSelector):
        with pytest.raises(InvalidConfigException, match="prune: auto .* name a plan") as error:
            component.fingerprint_addon(config_of(component, prune="auto"))
        one_line(error)


@pytest.mark.parametrize("value", [5, ["tokprune"], True])
def test_a_wrong_alias_gives_one_line(
    train_as_rasa_does: Make, config_of: ConfigOf, value: Any
) -> None:
    config = config_of(TokPruneFeaturizer, alias=value)
    with pytest.raises(InvalidConfigException, match="alias") as error:
        train_as_rasa_does(TokPruneFeaturizer, config)
    check_message(TokPruneFeaturizer, error, "alias", value, "null")


@pytest.mark.parametrize(("key", "value"), [("device", "gpu"), ("max_length", 500)])
def test_a_wrong_value_stops_training_before_it_starts(
    component_class: Type[GraphComponent], config_of: ConfigOf, key: str, value: Any
) -> None:
    # A component at the end of the pipeline runs after DIET has trained for an hour.
    with pytest.raises(InvalidConfigException, match=key):
        component_class.fingerprint_addon(config_of(component_class, **{key: value}))


def test_every_key_has_a_wrong_value_above() -> None:
    assert {key for key, _, _ in WRONG_VALUES} == set(ENCODER_DEFAULTS)


@pytest.mark.parametrize(
    ("key", "nearest"),
    [("modell", "model"), ("quantil", "quantile"), ("prune_layer", "prune_layers")],
)
def test_an_unknown_key_names_the_nearest(
    component_class: Type[GraphComponent], config_of: ConfigOf, key: str, nearest: str
) -> None:
    config = config_of(component_class, **{key: 1})
    with pytest.raises(InvalidConfigException, match=f"unknown key '{key}'") as error:
        component_class.fingerprint_addon(config)
    message = one_line(error)
    assert message.startswith(f"{component_class.__name__}: ")
    assert f"Did you mean '{nearest}'?" in message


def test_a_key_of_the_other_component_is_unknown(config_of: ConfigOf) -> None:
    for component, key in (
        (TokPruneFeaturizer, "ranking_length"),
        (TokPruneIntentClassifier, "alias"),
        (TokPruneIntentClassifier, "retrieval_intent"),
        (TokPruneResponseSelector, "oos_intents"),
        (TokPruneResponseSelector, "epochs"),
    ):
        with pytest.raises(InvalidConfigException, match=f"unknown key '{key}'"):
            component.fingerprint_addon(config_of(component, **{key: None}))
