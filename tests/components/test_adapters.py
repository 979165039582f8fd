"""Adapters in components: taken with the plan, stored with the model, refused if they misfit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, Type

import numpy as np
import pytest
from rasa.engine.graph import GraphComponent
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.encoder import PruningPlan, load_encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from tests.checkpoints import CORPUS, N_LAYERS
from tests.components.checks import one_line

Make = Callable[..., Any]
Folder = Callable[[Type[GraphComponent]], Path]


@pytest.fixture
def adapted_plan(tiny_bert: Path, tmp_path: Path) -> Path:
    """Returns a plan file that names an adapter lying beside it."""
    folder = tmp_path / "adapted"
    folder.mkdir()
    identity = load_encoder(str(tiny_bert), precision="auto").model.identity
    bias = np.linspace(-1, 1, 32).astype(np.float16)
    Adapter("own", identity, {"1.output_norm.bias": bias}).save(folder / "adapter.safetensors")
    thresholds = (0.0, 0.4, 0.0, 0.0)
    plan = PruningPlan(N_LAYERS, thresholds, name="own", adapter="adapter.safetensors")
    plan.save(folder / "plan.json")
    return folder / "plan.json"


def test_the_plan_brings_its_adapter(
    component_class: Type[GraphComponent],
    create: Make,
    training_data: TrainingData,
    adapted_plan: Path,
    tiny_bert: Path,
) -> None:
    adapted = create(component_class, prune=str(adapted_plan))
    plain = create(component_class, prune=str(adapted_plan), adapter="off")
    un_pruned = create(
        component_class, prune="off", adapter=str(adapted_plan.parent / "adapter.safetensors")
    )
    for component in (adapted, plain, un_pruned):
        component.train(training_data)
    identities = {component._encoder.model.identity for component in (adapted, un_pruned)}
    assert len(identities) == 1
    assert plain._encoder.model.identity not in identities
    difference = adapted._encoder.encode(CORPUS) - plain._encoder.encode(CORPUS)
    assert np.abs(difference).max() > 1e-2


def test_an_override_of_the_plan_keeps_its_adapter(
    component_class: Type[GraphComponent],
    create: Make,
    training_data: TrainingData,
    adapted_plan: Path,
) -> None:
    component = create(component_class, prune=str(adapted_plan), min_tokens=30)
    component.train(training_data)
    assert component._encoder.plan.min_tokens == 30
    assert component._encoder.model.adapter.name == "own"


def test_a_trained_model_carries_its_adapter(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    stored: Folder,
    training_data: TrainingData,
    adapted_plan: Path,
) -> None:
    settings = {"prune": str(adapted_plan)}
    component = create(component_class, **settings)
    component.train(training_data)
    expected = component._encoder.encode(CORPUS)
    for file in adapted_plan.parent.iterdir():
        file.unlink()
    loaded = load(component_class, **settings)
    np.testing.assert_array_equal(loaded._encoder.encode(CORPUS), expected)
    (stored(component_class) / "adapter.safetensors").write_bytes(b"nonsense")
    with pytest.raises(RasaException, match="the trained model is damaged") as error:
        load(component_class, **settings)
    assert "train again" in one_line(error)


def test_another_adapter_in_the_same_file_trains_again(
    component_class: Type[GraphComponent], config_of: Make, adapted_plan: Path
) -> None:
    config = config_of(component_class, prune=str(adapted_plan))
    before = component_class.fingerprint_addon(config)
    file = adapted_plan.parent / "adapter.safetensors"
    adapter = Adapter.load(file)
    doubled = {name: 2 * tensor for name, tensor in adapter.tensors.items()}
    Adapter("own", adapter.encoder_identity, doubled).save(file)
    assert component_class.fingerprint_addon(config) != before
    off = config_of(component_class, prune=str(adapted_plan), adapter=False)
    assert component_class.fingerprint_addon(off) != before


def test_another_base_model_is_refused_as_such(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    training_data: TrainingData,
    adapted_plan: Path,
    new_checkpoint: Callable[..., Path],
) -> None:
    create(component_class, prune=str(adapted_plan)).train(training_data)
    with pytest.raises(RasaException, match="trained with another encoder") as error:
        load(component_class, model=str(new_checkpoint(seed=3)), prune=str(adapted_plan))
    assert "install the same model files, or train again" in one_line(error)


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        ("missing.safetensors", r"not a readable safetensors file"),
        ("balancd", r"adapter: no adapter 'balancd'"),
        (3, r"adapter must be 'auto', 'off', a shipped adapter's name or an adapter file; got 3"),
    ],
)
def test_what_cannot_be_used_stops_before_training(
    component_class: Type[GraphComponent], config_of: Make, adapter: Any, message: str
) -> None:
    with pytest.raises(RasaException, match=message) as error:
        component_class.fingerprint_addon(config_of(component_class, adapter=adapter))
    assert one_line(error)


def test_one_of_another_encoder_stops_before_training(
    component_class: Type[GraphComponent],
    config_of: Make,
    adapted_plan: Path,
    new_checkpoint: Callable[..., Path],
) -> None:
    config = config_of(component_class, model=str(new_checkpoint(seed=5)), prune=str(adapted_plan))
    with pytest.raises(RasaException, match="was trained for another encoder"):
        component_class.fingerprint_addon(config)
