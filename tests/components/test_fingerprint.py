"""Rasa's cache key (M5): what must change it, what must not, and that it costs little (M12)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Type

import pytest
from rasa.engine.graph import GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.training.fingerprinting import calculate_fingerprint_key
from rasa.shared.exceptions import RasaException

import rasa_tokprune
from rasa_tokprune.encoder.checkpoint import weights as weights_module
from tests.plans import write_plan

ConfigOf = Callable[..., Dict[str, Any]]


def test_same_settings_give_the_same_key(
    component_class: Type[GraphComponent], config_of: ConfigOf
) -> None:
    config = config_of(component_class)
    assert component_class.fingerprint_addon(config) == component_class.fingerprint_addon(config)
    keys = {calculate_fingerprint_key(component_class, config, {}) for _ in range(2)}
    assert len(keys) == 1


def test_it_is_the_same_wherever_the_model_lies(
    component_class: Type[GraphComponent], config_of: ConfigOf, copy_of_tiny_bert: Path
) -> None:
    original = component_class.fingerprint_addon(config_of(component_class))
    copied = config_of(component_class, model=str(copy_of_tiny_bert))
    assert component_class.fingerprint_addon(copied) == original


@pytest.mark.parametrize(
    "changes",
    [
        {"prune": "off"},
        {"quantile": 0.3},
        {"prune_layers": [0]},
        {"prune_mode": "drop"},
        {"min_tokens": 40},
        {"min_tokens": "auto"},
        pytest.param({"precision": "fp32"}, marks=pytest.mark.needs("onnxruntime")),
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_plan_changes_it(
    component_class: Type[GraphComponent], config_of: ConfigOf, changes: Dict[str, Any]
) -> None:
    original = component_class.fingerprint_addon(config_of(component_class))
    changed = component_class.fingerprint_addon(config_of(component_class, **changes))
    assert changed != original


def test_an_edited_plan_file_changes_it(
    component_class: Type[GraphComponent], config_of: ConfigOf, plan_path: Path
) -> None:
    original = component_class.fingerprint_addon(config_of(component_class))
    write_plan(plan_path, quantile=0.25)
    assert component_class.fingerprint_addon(config_of(component_class)) != original


def test_other_weights_change_it(
    component_class: Type[GraphComponent],
    config_of: ConfigOf,
    new_checkpoint: Callable[..., Path],
) -> None:
    first, second = (str(new_checkpoint(seed=seed)) for seed in (1, 2))
    addons = {component_class.fingerprint_addon(config_of(component_class, model=first))}
    addons.add(component_class.fingerprint_addon(config_of(component_class, model=second)))
    assert len(addons) == 2


def test_weights_replaced_in_place_change_it(
    component_class: Type[GraphComponent],
    config_of: ConfigOf,
    copy_of_tiny_bert: Path,
    new_checkpoint: Callable[..., Path],
) -> None:
    config = config_of(component_class, model=str(copy_of_tiny_bert))
    original = component_class.fingerprint_addon(config)
    other = new_checkpoint(seed=1)
    shutil.copyfile(other / "model.safetensors", copy_of_tiny_bert / "model.safetensors")
    assert component_class.fingerprint_addon(config) != original


def test_another_tokenizer_changes_it(
    component_class: Type[GraphComponent], config_of: ConfigOf, copy_of_tiny_bert: Path
) -> None:
    config = config_of(component_class, model=str(copy_of_tiny_bert))
    original = component_class.fingerprint_addon(config)
    path = copy_of_tiny_bert / "tokenizer.json"
    tokenizer = json.loads(path.read_text(encoding="utf-8"))
    tokenizer["normalizer"]["lowercase"] = False
    path.write_text(json.dumps(tokenizer), encoding="utf-8")
    assert component_class.fingerprint_addon(config) != original


def test_an_upgrade_of_the_package_changes_it(
    component_class: Type[GraphComponent],
    config_of: ConfigOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = component_class.fingerprint_addon(config_of(component_class))
    monkeypatch.setattr(rasa_tokprune, "__version__", "0.999.0")
    assert component_class.fingerprint_addon(config_of(component_class)) != original


def test_it_loads_no_weights(
    component_class: Type[GraphComponent],
    config_of: ConfigOf,
    new_checkpoint: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        pytest.fail("weights were loaded")

    monkeypatch.setattr(weights_module, "map_tensors", refuse)
    config = config_of(component_class, model=str(new_checkpoint(seed=7)))
    assert component_class.fingerprint_addon(config)


def test_it_reads_the_weights_once(
    component_class: Type[GraphComponent],
    config_of: ConfigOf,
    new_checkpoint: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Rasa asks once per node and again before each node that runs; hashing 90 MB takes a while.
    config = config_of(component_class, model=str(new_checkpoint(seed=8)))
    opened: List[str] = []
    original = Path.open

    def counting(self: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(self.name)
        return original(self, *arguments, **options)

    monkeypatch.setattr(Path, "open", counting)
    for _ in range(3):
        component_class.fingerprint_addon(config)
    assert opened.count("model.safetensors") == 1


def test_a_node_restored_from_the_cache_has_an_answer(
    component_class: Type[GraphComponent],
) -> None:
    # Before such a node runs Rasa asks again, with the configuration of its placeholder.
    config = {"output": Resource(component_class.__name__)}
    addon = component_class.fingerprint_addon(config)
    assert addon is None or isinstance(addon, str)


def test_a_hub_model_not_downloaded_yet_counts_by_name_and_plan(
    component_class: Type[GraphComponent],
    config_of: ConfigOf,
    plan_path: Path,
    hub_calls: List[Optional[bool]],
) -> None:
    config = config_of(component_class, model="someone/not-here")
    original = component_class.fingerprint_addon(config)
    assert original == component_class.fingerprint_addon(config)
    assert original != component_class.fingerprint_addon({**config, "model": "someone/else"})
    write_plan(plan_path, quantile=0.25)
    assert original != component_class.fingerprint_addon(config)
    assert set(hub_calls) == {True}, "the hub's network must not be asked"


def test_local_files_only_fails_before_training(
    component_class: Type[GraphComponent],
    config_of: ConfigOf,
    hub_calls: List[Optional[bool]],
) -> None:
    config = config_of(component_class, model="someone/not-here", local_files_only=True)
    with pytest.raises(RasaException, match="'someone/not-here' is not on this machine"):
        component_class.fingerprint_addon(config)
    assert set(hub_calls) == {True}


def test_an_offline_machine_fails_before_training(
    component_class: Type[GraphComponent], config_of: ConfigOf, tmp_path: Path
) -> None:
    config = config_of(component_class, model="someone/not-here", cache_dir=str(tmp_path))
    with pytest.raises(RasaException, match="'someone/not-here' is not on this machine"):
        component_class.fingerprint_addon(config)


def test_a_missing_folder_fails_before_training(
    component_class: Type[GraphComponent], config_of: ConfigOf, tmp_path: Path
) -> None:
    config = config_of(component_class, model=str(tmp_path / "absent"))
    with pytest.raises(RasaException, match="absent' does not exist"):
        component_class.fingerprint_addon(config)


def test_a_wrong_setting_fails_before_training(
    component_class: Type[GraphComponent], config_of: ConfigOf
) -> None:
    with pytest.raises(RasaException, match=f"{component_class.__name__}: batch_size"):
        component_class.fingerprint_addon(config_of(component_class, batch_size=0))


def test_a_server_downloads_nothing_unless_told_to(
    component_class: Type[GraphComponent],
    create: Callable[..., Any],
    load: Callable[..., Any],
    training_data: Any,
    hub_calls: List[Optional[bool]],
) -> None:
    create(component_class).train(training_data)
    hub_calls.clear()
    with pytest.raises(RasaException, match="downloads are not allowed here"):
        load(component_class, model="someone/not-here")
    assert set(hub_calls) == {True}
    with pytest.raises(RasaException, match="downloading failed"):
        load(component_class, model="someone/not-here", local_files_only=False)
    assert hub_calls[-1] is None, "local_files_only: false allows the network"
