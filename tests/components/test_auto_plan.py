"""`prune: auto`: the cheapest shipped plan that is certified to change few answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Type

import pytest
from rasa.engine.graph import GraphComponent
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from structlog.testing import capture_logs

from rasa_tokprune.components import auto_plan
from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.encoder import PruningPlan
from rasa_tokprune.errors import StorageError
from tests.checkpoints import CORPUS, N_LAYERS
from tests.components.checks import one_line

Make = Callable[..., Any]
ConfigOf = Callable[..., Dict[str, Any]]
SHARES = {"gentle": 0.0, "light": 0.4, "balanced": 0.7, "fast": 0.9}


@pytest.fixture(autouse=True)
def _plans(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ships plans for the tiny encoder: the first prunes nothing at these lengths."""
    plans = {
        name: [
            PruningPlan(
                N_LAYERS,
                (share or 0.5, share, 0.0, 0.0),
                min_tokens=0 if share else 100,
                name=name,
            )
        ]
        for name, share in SHARES.items()
    }
    for module in ("components.auto_plan", "components.config.encoder", "components.fingerprint"):
        monkeypatch.setattr(f"rasa_tokprune.{module}.shipped_plans", lambda: plans)
    monkeypatch.setattr("rasa_tokprune.encoder.plans.resolve.shipped_plans", lambda: plans)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "log.txt"
    path.write_text("\n".join(CORPUS * 30), encoding="utf-8")
    return path


def certificate(storage_path: Path) -> Dict[str, Any]:
    (path,) = storage_path.rglob(auto_plan.CERTIFICATE_FILE)
    return json.loads(path.read_text(encoding="utf-8"))


def test_it_takes_the_last_plan_in_a_row_that_holds(
    create: Make, load: Make, training_data: TrainingData, log: Path, storage_path: Path
) -> None:
    settings = {"prune": "auto", "certify_on": str(log), "max_flip_rate": 0.05}
    component = create(TokPruneIntentClassifier, **settings)
    with capture_logs() as lines:
        component.train(training_data)
    stored = certificate(storage_path)
    tried = stored["certificates"]
    assert [entry["plan"] for entry in tried] == list(SHARES)[: len(tried)]
    assert tried[0]["n_messages"] == 240
    assert tried[0]["n_flips"] == 0
    assert all(entry["holds"] for entry in tried[:-1])
    held = [entry["plan"] for entry in tried if entry["holds"]]
    assert stored["taken"] == held[-1] == component._encoder.plan.name
    (line,) = (entry["certificate"] for entry in lines if "certificate" in entry)
    assert f"prune: auto takes '{held[-1]}'" in line
    assert "changes 0 of 240 actions" in line
    assert "\n" not in line
    loaded = load(TokPruneIntentClassifier, **settings)
    assert loaded._encoder.fingerprint == component._encoder.fingerprint


def test_too_few_messages_take_no_plan_and_say_how_many_it_needs(
    create: Make, training_data: TrainingData, storage_path: Path
) -> None:
    component = create(TokPruneIntentClassifier, prune="auto")
    with capture_logs() as lines:
        component.train(training_data)
    assert component._encoder.plan.is_identity
    stored = certificate(storage_path)
    assert (stored["taken"], stored["messages"]) == ("off", "training")
    (line,) = (entry["certificate"] for entry in lines if "certificate" in entry)
    assert "under 149 messages no plan can be certified: give more by certify_on" in line


def test_a_generous_limit_takes_the_cheapest_plan(
    create: Make, training_data: TrainingData, log: Path, storage_path: Path
) -> None:
    component = create(
        TokPruneIntentClassifier, prune="auto", certify_on=str(log), max_flip_rate=0.999
    )
    component.train(training_data)
    assert certificate(storage_path)["taken"] == "fast" == component._encoder.plan.name


def test_what_is_counted_is_what_the_trained_components_do(
    create: Make, training_data: TrainingData, log: Path, storage_path: Path
) -> None:
    decides = {"oos_intents": ["bye"], "target_in_scope_rejection": 0.5}
    settings = {"certify_on": str(log), "max_flip_rate": 0.999, **decides}
    create(TokPruneIntentClassifier, prune="auto", **settings).train(training_data)
    found = {entry["plan"]: entry for entry in certificate(storage_path)["certificates"]}
    done: Dict[str, List[Any]] = {}
    for prune in ("off", "fast"):
        component = create(TokPruneIntentClassifier, prune=prune, **decides)
        component.train(training_data)
        messages = [Message.build(text) for text in CORPUS * 30 if text.strip()]
        component.process(messages)
        done[prune] = [message.get("intent") for message in messages]
    pairs = list(zip(done["off"], done["fast"]))
    actions = [
        tuple(own["name"] if own["confidence"] >= 0.5 else "nlu_fallback" for own in pair)
        for pair in pairs
    ]
    n_flips = sum(before != after for before, after in actions)
    assert found["fast"]["n_flips"] == n_flips > 0
    assert found["fast"]["n_messages"] == len(pairs)
    n_other = sum(before["name"] != after["name"] for before, after in pairs)
    assert found["fast"]["n_other_intents"] == n_other


def test_other_messages_train_again(config_of: ConfigOf, log: Path) -> None:
    config = config_of(TokPruneIntentClassifier, prune="auto", certify_on=str(log))
    before = TokPruneIntentClassifier.fingerprint_addon(config)
    assert TokPruneIntentClassifier.fingerprint_addon(config) == before
    log.write_text("something else", encoding="utf-8")
    assert TokPruneIntentClassifier.fingerprint_addon(config) != before


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ({"prune": "auto", "quantile": 0.3}, "quantile: 0.3 has nothing to change"),
        (
            {"prune": "auto", "certify_on": "missing.txt"},
            "certify_on: 'missing.txt' cannot be read",
        ),
        ({"prune": "auto", "certify_on": 3}, "certify_on must be a file of messages"),
        ({"prune": "off", "certify_on": "x.txt"}, "only read with prune: auto"),
        ({"prune": "auto", "max_flip_rate": 0}, "max_flip_rate must be a number in (0, 1)"),
        ({"prune": "auto", "max_flip_rate": True}, "max_flip_rate must be a number in (0, 1)"),
    ],
)
def test_wrong_settings_give_one_line(
    config_of: ConfigOf, keys: Dict[str, Any], problem: str
) -> None:
    with pytest.raises(InvalidConfigException) as error:
        TokPruneIntentClassifier.fingerprint_addon(config_of(TokPruneIntentClassifier, **keys))
    assert problem in one_line(error)


def test_an_empty_file_is_refused(config_of: ConfigOf, log: Path) -> None:
    log.write_text("\n \n", encoding="utf-8")
    config = config_of(TokPruneIntentClassifier, prune="auto", certify_on=str(log))
    with pytest.raises(InvalidConfigException, match="holds no message"):
        TokPruneIntentClassifier.fingerprint_addon(config)


def test_a_featurizer_has_no_answers_to_compare(
    config_of: Callable[[Type[GraphComponent]], Dict[str, Any]],
) -> None:
    config = {**config_of(TokPruneFeaturizer), "prune": "auto"}
    with pytest.raises(InvalidConfigException, match="which a featurizer does not give"):
        TokPruneFeaturizer.fingerprint_addon(config)


def test_the_candidates_are_in_order_of_their_cost() -> None:
    names: List[str] = list(auto_plan.CANDIDATES)
    assert names == list(SHARES)


def test_finetuning_marks_the_certificate_as_of_another_training(tmp_path: Path) -> None:
    auto_plan.store_certificate(None, tmp_path)
    assert not list(tmp_path.iterdir()), "without a certificate there is nothing to mark"
    path = tmp_path / auto_plan.CERTIFICATE_FILE
    path.write_text('{"taken": "light"}', encoding="utf-8")
    auto_plan.store_certificate(None, tmp_path)
    assert json.loads(path.read_text()) == {"taken": "light", "is_of_earlier_training": True}


def test_a_certificate_of_an_earlier_version_is_marked_as_it_is(tmp_path: Path) -> None:
    # It counted top intents, and nothing beside them.
    counted = {"plan": "light", "n_messages": 200, "n_flips": 0, "max_flip_rate": 0.02}
    old = {"taken": "light", "messages": "training", "certificates": [counted]}
    path = tmp_path / auto_plan.CERTIFICATE_FILE
    path.write_text(json.dumps(old), encoding="utf-8")
    auto_plan.store_certificate(None, tmp_path)
    assert json.loads(path.read_text()) == {**old, "is_of_earlier_training": True}


@pytest.mark.parametrize("damage", ["", "[]", "3"])
def test_a_damaged_certificate_is_one_clear_error(tmp_path: Path, damage: str) -> None:
    (tmp_path / auto_plan.CERTIFICATE_FILE).write_text(damage, encoding="utf-8")
    with pytest.raises(StorageError, match="certificate.json' cannot be marked"):
        auto_plan.store_certificate(None, tmp_path)


def test_a_bot_of_invisible_examples_trains_without_a_plan(create: Make, tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    log.write_text("hello\n", encoding="utf-8")
    classifier = create(TokPruneIntentClassifier, prune="auto", certify_on=str(log))
    with pytest.warns(UserWarning, match="1 of 1 examples hold nothing"):
        classifier.train(TrainingData([Message.build("\u2060", intent="nothing")]))
