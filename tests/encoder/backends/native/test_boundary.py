"""What the C library would read or write past the end of is refused before it is called."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
import pytest

from rasa_tokprune.encoder.backends.batch import PackedTokens
from rasa_tokprune.encoder.backends.builds import runnable_builds
from rasa_tokprune.encoder.backends.native.library import NativeModel, Scratch
from rasa_tokprune.encoder.backends.native.pack import pack_weights
from rasa_tokprune.encoder.backends.native.runner import NativeRunner
from rasa_tokprune.encoder.backends.native.structures import NativePlan
from rasa_tokprune.encoder.backends.sentence_runner import attention_bias
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.tensor_file import map_tensors, serialize_tensors
from rasa_tokprune.encoder.checkpoint.weights import load_weights
from rasa_tokprune.encoder.loading import load_encoder
from rasa_tokprune.errors import CheckpointError, ConfigError
from tests.checkpoints import CORPUS, N_LAYERS
from tests.plans import PLANS

pytestmark = pytest.mark.skipif(not runnable_builds(), reason="not built for this machine")
IDS = np.array([1, 7, 9, 12, 2], dtype=np.int64)
PROTECTED = np.array([True, False, False, False, True])


class Opened:
    """A tiny model as the library reads it, and what it is made of."""

    def __init__(self, folder: Path) -> None:
        self.spec = EncoderSpec.from_folder(folder)
        weights = load_weights(folder, self.spec)
        self.packed = pack_weights(weights, self.spec)
        self.words, self.positions = weights.embeddings.words, weights.embeddings.positions
        self.bias = weights.embeddings.relative_bias

    def model(self, **changed: Any) -> NativeModel:
        made = {"packed": self.packed, "words": self.words, "positions": self.positions, **changed}
        return NativeModel(**made, spec=self.spec)

    def encode(
        self, *, plan: Any = PLANS["freeze"], bias: Any = None, n_threads: int = 1, **changed: Any
    ) -> Any:
        tokens = PackedTokens(IDS, PROTECTED, np.array([len(IDS)]), self.spec.position_offset)
        tokens = dataclasses.replace(tokens, **changed)
        return self.model().encode(
            NativePlan(plan), tokens, bias, Scratch(), needs_states=True, n_threads=n_threads
        )


@pytest.fixture
def opened(tiny_bert: Path) -> Opened:
    return Opened(tiny_bert)


WRONG: Dict[str, Dict[str, Any]] = {
    "ids": {"ids": IDS.astype(np.int32)},
    "ids of": {"ids": np.repeat(IDS, 2)[::2]},
    "is_protected": {"is_protected": PROTECTED[:-1]},
    "is_protected of": {"is_protected": PROTECTED.astype(np.int64)},
}


@pytest.mark.parametrize("name", WRONG)
def test_arrays_that_do_not_fit_are_refused(opened: Opened, name: str) -> None:
    with pytest.raises(ConfigError, match=rf"^{name}.* must be .* without gaps, got "):
        opened.encode(**WRONG[name])


def test_no_token_is_refused(opened: Opened) -> None:
    nothing = np.empty(0, dtype=np.int64)
    with pytest.raises(ConfigError, match="at least one token"):
        opened.encode(ids=nothing, is_protected=nothing.astype(bool))


@pytest.mark.parametrize("row", [-1, 10**6, -(2**63), 2**63 - 1])
def test_tokens_without_a_row_are_refused(opened: Opened, row: int) -> None:
    with pytest.raises(CheckpointError, match="are not of one model"):
        opened.encode(ids=np.array([1, row, 2]), is_protected=PROTECTED[:3])


def test_a_plan_for_another_depth_is_refused(opened: Opened) -> None:
    plan = dataclasses.replace(PLANS["identity"], n_layers=2, thresholds=(), kept_layers=None)
    with pytest.raises(ConfigError, match=f"plan is for 2 layers, the model has {N_LAYERS}"):
        opened.encode(plan=plan)


def test_a_bias_of_another_size_is_refused(checkpoint: Callable[[str], Path]) -> None:
    opened = Opened(checkpoint("mpnet"))
    assert opened.encode(bias=attention_bias(opened.bias, len(IDS))).states.any()
    with pytest.raises(ConfigError, match="bias of a sentence must be"):
        opened.encode(bias=attention_bias(opened.bias, len(IDS) - 1))


@pytest.mark.parametrize("n_threads", [0, -1, -(2**31), 2**31 - 1])
def test_any_number_of_threads_gives_the_same(opened: Opened, n_threads: int) -> None:
    ids, protected = np.tile(IDS, 10), np.tile(PROTECTED, 10)
    one, other = (opened.encode(ids=ids, is_protected=protected, n_threads=n)
                  for n in (1, n_threads))  # fmt: skip
    assert (one.states == other.states).all()
    assert (one.pooled == other.pooled).all()


CHANGED: Dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "another type": lambda array: array.astype(np.uint8),
    "half of it": lambda array: array[: len(array) // 2].copy(),
    "gaps": lambda array: np.repeat(array, 2)[::2],
}


@pytest.mark.parametrize("change", CHANGED.values(), ids=CHANGED)
def test_weights_of_another_size_are_refused(
    opened: Opened, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    packed = {**opened.packed, "1.qkv.scale": change(opened.packed["1.qkv.scale"])}
    with pytest.raises(CheckpointError, match=r"packed weights' '1\.qkv\.scale' is .*, expected"):
        opened.model(packed=packed)


def test_tables_of_another_width_are_refused(opened: Opened) -> None:
    with pytest.raises(CheckpointError, match="expected rows of 32"):
        opened.model(words=opened.words[:, :16])


@pytest.mark.parametrize("damage", ["lacks", "is float32"])
def test_stored_weights_that_do_not_fit_are_made_again(
    new_checkpoint: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    damage: str,
) -> None:
    monkeypatch.setenv("RASA_TOKPRUNE_CACHE", str(tmp_path / "cache"))
    folder = new_checkpoint(seed=31)

    def encode(num_threads: int) -> np.ndarray:
        encoder = load_encoder(
            str(folder), backend="native", precision="int8", num_threads=num_threads
        )
        assert isinstance(encoder.model.runner, NativeRunner)
        return encoder.encode(CORPUS)

    first = encode(1)
    (stored,) = (tmp_path / "cache").iterdir()
    whole = {name: np.array(array) for name, array in map_tensors(stored).items()}
    changed = dict(whole)
    if damage == "lacks":
        del changed["0.qkv.bias"]
    else:
        changed["0.qkv.bias"] = changed["0.qkv.bias"][:3]
    stored.write_bytes(serialize_tensors(changed))
    assert (encode(2) == first).all()
    assert map_tensors(stored)["0.qkv.bias"].shape == whole["0.qkv.bias"].shape
