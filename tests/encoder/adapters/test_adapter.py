"""An adapter is merged into the weights when they are loaded, on every backend."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.backends.choice import has_onnx, library_path
from rasa_tokprune.encoder.formats import Backend
from rasa_tokprune.errors import ConfigError
from tests.checkpoints import CORPUS

HIDDEN, WIDE, RANK = 32, 48, 2


def plain(folder: Path) -> Encoder:
    return load_encoder(str(folder))


@pytest.fixture
def adapter(tiny_bert: Path) -> Adapter:
    rng = np.random.default_rng(0)

    def random(*shape: int) -> np.ndarray:
        return rng.normal(scale=0.1, size=shape).astype(np.float16)

    return Adapter(
        name="random",
        encoder_identity=plain(tiny_bert).model.identity,
        tensors={
            "0.qkv.down": random(RANK, HIDDEN),
            "0.qkv.up": random(3 * HIDDEN, RANK),
            "0.qkv.bias": random(3 * HIDDEN),
            "2.feed_forward_in.down": random(RANK, HIDDEN),
            "2.feed_forward_in.up": random(WIDE, RANK),
            "3.output_norm.weight": random(HIDDEN),
        },
        provenance={"seed": "0"},
    )


def merged_by_hand(folder: Path, adapter: Adapter, target: Path) -> Path:
    """Writes the checkpoint that the adapter stands for."""
    shutil.copytree(folder, target)
    file = target / "model.safetensors"
    weights = load_file(str(file))
    change = {name: tensor.astype(np.float32) for name, tensor in adapter.tensors.items()}
    qkv = change["0.qkv.up"] @ change["0.qkv.down"]
    for number, name in enumerate(("query", "key", "value")):
        rows = slice(number * HIDDEN, (number + 1) * HIDDEN)
        place = f"encoder.layer.0.attention.self.{name}"
        weights[f"{place}.weight"] += qkv[rows]
        weights[f"{place}.bias"] += change["0.qkv.bias"][rows]
    wide = change["2.feed_forward_in.up"] @ change["2.feed_forward_in.down"]
    weights["encoder.layer.2.intermediate.dense.weight"] += wide
    weights["encoder.layer.3.output.LayerNorm.weight"] += change["3.output_norm.weight"]
    save_file(weights, str(file), metadata={"format": "pt"})
    return target


@pytest.mark.parametrize("backend", list(Backend))
def test_it_equals_a_checkpoint_merged_by_hand(
    tiny_bert: Path, adapter: Adapter, backend: Backend, tmp_path: Path
) -> None:
    if (backend is Backend.ONNX and not has_onnx()) or (
        backend is Backend.NATIVE and library_path() is None
    ):
        pytest.skip("not on this machine")
    precision = "int8" if backend is Backend.NATIVE else "fp32"
    own = {"backend": backend.value, "precision": precision}
    adapted = load_encoder(str(tiny_bert), adapter=adapter, **own)
    by_hand = load_encoder(str(merged_by_hand(tiny_bert, adapter, tmp_path / "merged")), **own)
    difference = adapted.encode(CORPUS) - by_hand.encode(CORPUS)
    assert np.abs(difference).max() < 1e-6
    original = load_encoder(str(tiny_bert), **own)
    assert np.abs(adapted.encode(CORPUS) - original.encode(CORPUS)).max() > 1e-2


def test_what_it_changes_has_another_identity(tiny_bert: Path, adapter: Adapter) -> None:
    original, adapted = plain(tiny_bert), load_encoder(str(tiny_bert), adapter=adapter)
    assert original.model.identity != adapted.model.identity
    assert original.fingerprint != adapted.fingerprint
    off = load_encoder(str(tiny_bert), adapter="off")
    assert off.fingerprint == original.fingerprint


def test_saved_and_loaded_it_is_the_same(adapter: Adapter, tmp_path: Path) -> None:
    path = tmp_path / "own.safetensors"
    adapter.save(path)
    loaded = Adapter.load(path)
    assert loaded.identity == adapter.identity
    assert loaded.provenance == adapter.provenance
    assert loaded.name == "random"


def test_one_for_another_encoder_is_refused(
    tmp_path: Path, adapter: Adapter, new_checkpoint
) -> None:
    other = new_checkpoint("bert", seed=1)
    with pytest.raises(ConfigError, match=r"adapter 'random' was trained for another encoder"):
        load_encoder(str(other), adapter=adapter)


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        ({"9.qkv.bias": np.zeros(96, np.float16)}, "no place for '9.qkv.bias'"),
        ({"0.qkv.bias": np.zeros(5, np.float16)}, "does not fit this encoder at '0.qkv'"),
        ({"0.qkv.down": np.zeros((2, 32), np.float16)}, "does not fit this encoder at '0.qkv'"),
        (
            {"0.qkv.down": np.zeros((2, 8), np.float16), "0.qkv.up": np.zeros((96, 2), np.float16)},
            "does not fit this encoder at '0.qkv'",
        ),
    ],
)
def test_one_of_other_sizes_is_refused(
    tiny_bert: Path, adapter: Adapter, tensors: dict, message: str
) -> None:
    wrong = Adapter("wrong", adapter.encoder_identity, tensors)
    with pytest.raises(ConfigError, match=message):
        load_encoder(str(tiny_bert), adapter=wrong)


def test_files_that_are_no_adapters(tmp_path: Path, tiny_bert: Path, adapter: Adapter) -> None:
    with pytest.raises(ConfigError, match="is not an adapter"):
        Adapter.load(tiny_bert / "model.safetensors")
    with pytest.raises(ConfigError, match="not a readable safetensors file"):
        Adapter.load(tmp_path / "missing.safetensors")
    path = tmp_path / "cut.safetensors"
    adapter.save(path)
    path.write_bytes(path.read_bytes()[:-7])
    with pytest.raises(ConfigError, match="not a readable safetensors file"):
        Adapter.load(path)
    infinite = {"0.qkv.bias": np.full(96, np.inf, np.float16)}
    Adapter("infinite", "x", infinite).save(path)
    with pytest.raises(ConfigError, match=r"'0\.qkv\.bias' holds no finite numbers"):
        Adapter.load(path)


def test_a_plan_object_finds_its_adapter_too(
    tiny_bert: Path, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "adapted"
    folder.mkdir()
    adapter.save(folder / "adapter.safetensors")
    plan = PruningPlan(4, (0.0, 0.5, 0.0, 0.0), adapter="adapter.safetensors")
    plan.save(folder / "plan.json")
    monkeypatch.chdir(tmp_path)
    for prune in (PruningPlan.load(folder / "plan.json"), Path("adapted/plan.json")):
        assert load_encoder(str(tiny_bert), prune=prune).model.adapter.name == "random"


@pytest.mark.parametrize("wrong", [False, 3, ["a"], ""])
def test_a_plan_with_another_kind_of_adapter_is_refused(wrong: object, tmp_path: Path) -> None:
    values = {**PruningPlan(4).to_dict(), "adapter": wrong}
    with pytest.raises(ConfigError, match="adapter must be a shipped adapter's name"):
        PruningPlan.from_dict(values)


def test_unknown_names_are_refused(tiny_bert: Path) -> None:
    with pytest.raises(ConfigError, match="no adapter 'balancd'"):
        load_encoder(str(tiny_bert), adapter="balancd")
