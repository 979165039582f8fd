"""The shipped plans with adapters, and which plan an encoder gets by default."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import numpy as np
import pytest

import rasa_tokprune
from rasa_tokprune.encoder import PruningPlan, load_encoder, resolve_plan, shipped_plans
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.adapters.resolve import resolve_adapter, shipped_adapters
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.default_plan import default_plan, suits
from tests.checkpoints import CORPUS

NAMES = ["light", "balanced", "fast"]
FOLDER = Path(rasa_tokprune.__file__).parent / "encoder" / "adapters"


def adapter_of(plan: PruningPlan) -> Adapter:
    adapter = resolve_adapter("auto", plan)
    assert adapter is not None
    return adapter


@pytest.mark.parametrize("name", NAMES)
def test_adapters_are_small_and_say_where_they_come_from(name: str) -> None:
    (plan,) = shipped_plans()[name]
    assert (plan.n_layers, plan.adapter) == (6, name)
    assert (FOLDER / "shipped" / f"{name}.safetensors").stat().st_size <= 8_000_000
    adapter = adapter_of(plan)
    assert adapter.name == name
    assert adapter.provenance["plan"] == plan.fingerprint(), "it was trained with this very plan"
    about = adapter.provenance
    assert {"tasks", "text_files", "settings", "licence", "rank", "teacher", "start"} <= set(about)
    # Judged on these, never trained on them.
    judges = about["judges"].split(", ")
    assert len(judges) == 10
    assert not [judge for judge in judges if judge in about["tasks"]]


def test_a_model_card_names_every_adapter_with_its_data() -> None:
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert sorted(NAMES) == shipped_adapters()
    for word in (*NAMES, "BANKING77", "CLINC150", "HWU64", "CC BY 3.0", "WordNet", "MIT", "H200"):
        assert word in card


@pytest.mark.parametrize(("n_layers", "name"), [(4, "off"), (6, "gentle"), (12, "gentle")])
def test_encoders_without_an_adapter_get_the_gentle_plan(
    n_layers: int, name: str, new_checkpoint: Callable[..., Path]
) -> None:
    folder = new_checkpoint(num_hidden_layers=n_layers)
    spec = EncoderSpec.from_folder(folder)
    assert default_plan(folder, spec).name == name
    if n_layers == 6:
        assert not suits(resolve_plan("light", 6), folder, spec)


@pytest.mark.slow
def test_the_default_model_gets_the_light_plan() -> None:
    folder = find_checkpoint(DEFAULT_MODEL)
    plan = default_plan(folder, EncoderSpec.from_folder(folder))
    assert plan == resolve_plan("light", 6)
    assert plan.min_tokens == 0, "the plan that made the prototypes reads every message"


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_adapted_embeddings_stay_near_the_teachers(name: str) -> None:
    teacher = load_encoder().encode(CORPUS)
    adapted = load_encoder(prune=name).encode(CORPUS)
    pruned = load_encoder(prune=name, adapter="off").encode(CORPUS)
    near, far = ((vectors * teacher).sum(axis=1).mean() for vectors in (adapted, pruned))
    assert near > far
    assert near > 0.75
    assert np.isfinite(adapted).all()
