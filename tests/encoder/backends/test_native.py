"""The C library computes what plain numpy does with the same 8-bit numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest

from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.backends.batch import position_ids
from rasa_tokprune.encoder.backends.choice import library_path
from rasa_tokprune.encoder.backends.native import library as library_module
from rasa_tokprune.encoder.backends.native import runner as runner_module
from rasa_tokprune.encoder.backends.sentence_runner import attention_bias
from rasa_tokprune.encoder.checkpoint.weights import load_weights
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.cpu import cpu_features
from tests.checkpoints import ARCHITECTURES, CORPUS, N_LAYERS
from tests.encoder.backends.slow_int8 import slow_int8
from tests.plans import PLANS, TEXTS

pytestmark = pytest.mark.skipif(library_path() is None, reason="not built for this machine")


BACKEND_FOLDER = Path(library_module.__file__).parent


def native(folder: Path, plan: PruningPlan, **settings: Any) -> Encoder:
    return load_encoder(str(folder), prune=plan, backend="native", precision="int8", **settings)


LIBRARIES = sorted(BACKEND_FOLDER.glob("*.so"))


@pytest.mark.parametrize("library", LIBRARIES, ids=lambda path: path.stem)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", PLANS)
def test_it_equals_numpy(
    checkpoint: Callable[[str], Path],
    architecture: str,
    name: str,
    library: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "avx512" in library.name and "avx512_vnni" not in cpu_features():
        pytest.skip("not for this CPU")
    monkeypatch.setattr(library_module, "library_path", lambda: library)
    folder, plan = checkpoint(architecture), PLANS[name]
    # Another number of threads is another model in this process.
    encoder = native(folder, plan, num_threads=1 + LIBRARIES.index(library))
    spec = encoder.model.spec
    weights = load_weights(folder, spec)
    n_exact = 0
    texts = [*TEXTS, " ".join(CORPUS)]
    for encoded in encoder.encode_detailed(texts):
        first, bias = first_states(weights.embeddings, spec, encoded.tokens.ids)
        states, pruned_after = slow_int8(
            weights, spec, first, encoded.tokens.is_special, bias, plan
        )
        assert encoded.pruned_after.tolist() == pruned_after
        # A number half-way between two integers may be rounded either way, and what follows
        # then differs by a step of the 8-bit scale.
        difference = np.abs(encoded.states - states)
        assert difference.mean() < 0.02
        n_exact += np.median(difference) < 1e-5
    assert n_exact >= len(texts) / 2


def first_states(tables: Any, spec: Any, ids: np.ndarray) -> Any:
    first = tables.words[ids] + tables.positions[position_ids(ids, spec.position_offset)]
    if tables.token_type is not None:
        first = first + tables.token_type
    if tables.relative_bias is None:
        return first, None
    return first, attention_bias(tables.relative_bias, len(ids))


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu", "silu"])
def test_activations(new_checkpoint: Callable[..., Path], activation: str) -> None:
    folder = new_checkpoint(hidden_act=activation)
    exact = load_encoder(str(folder)).encode(CORPUS)
    rounded = native(folder, PruningPlan.identity(N_LAYERS)).encode(CORPUS)
    assert (exact * rounded).sum(axis=1).min() > 0.99


@pytest.mark.parametrize("heads", [1, 2, 8])
def test_heads_of_any_width(new_checkpoint: Callable[..., Path], heads: int) -> None:
    folder = new_checkpoint(hidden_size=96, num_attention_heads=heads)
    exact = load_encoder(str(folder)).encode(CORPUS)
    rounded = native(folder, PruningPlan.identity(N_LAYERS)).encode(CORPUS)
    assert (exact * rounded).sum(axis=1).min() > 0.99


def test_long_texts_and_wide_models(new_checkpoint: Callable[..., Path]) -> None:
    sizes = {"hidden_size": 512, "intermediate_size": 1024, "num_attention_heads": 4}
    folder = new_checkpoint(max_seq_length=500, max_position_embeddings=512, **sizes)
    one_layer = PruningPlan(N_LAYERS, kept_layers=(0,))  # rounding does not pile up
    encoder = native(folder, one_layer)
    weights, spec = load_weights(folder, encoder.model.spec), encoder.model.spec
    text = " ".join(CORPUS * 8)
    encoded = encoder.encode_detailed([text])[0]
    assert len(encoded.tokens) == 500
    first, bias = first_states(weights.embeddings, spec, encoded.tokens.ids)
    states, _ = slow_int8(weights, spec, first, encoded.tokens.is_special, bias, one_layer)
    assert np.abs(encoded.states - states).mean() < 0.005
    for name, n_pruned in (("freeze first", 299 + 99 + 20), ("drop", 150 + 105)):
        pruned = native(folder, PLANS[name]).encode_detailed([text])[0]
        assert (pruned.pruned_after >= 0).sum() == n_pruned
        assert np.isfinite(pruned.states).all()


def test_sentences_do_not_know_their_neighbours(tiny_bert: Path) -> None:
    encoder = native(tiny_bert, PLANS["freeze"], num_threads=3)
    together = encoder.encode(CORPUS * 5)
    alone = np.concatenate([encoder.encode([text]) for text in CORPUS * 5])
    assert (together == alone).all()


def test_short_sentences_are_bit_identical_to_the_unpruned_model(tiny_bert: Path) -> None:
    original = native(tiny_bert, PruningPlan.identity(N_LAYERS)).encode(["hello there"])
    assert (native(tiny_bert, PLANS["gate"]).encode(["hello there"]) == original).all()


def test_stored_weights_are_used_and_replaced_if_damaged(
    new_checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RASA_TOKPRUNE_CACHE", str(tmp_path / "cache"))
    folder = new_checkpoint(seed=21)
    first = native(folder, PLANS["drop"], num_threads=1).encode(CORPUS)
    (stored,) = (tmp_path / "cache").iterdir()
    with monkeypatch.context() as patch:
        patch.setattr(runner_module, "pack_weights", None)  # not called
        again = native(folder, PLANS["drop"], num_threads=2).encode(CORPUS)
    stored.write_bytes(b"damaged")
    repaired = native(folder, PLANS["drop"], num_threads=3).encode(CORPUS)
    assert (first == again).all()
    assert (first == repaired).all()
    assert stored.stat().st_size > 1000


def test_an_unwritable_cache_is_no_obstacle(
    new_checkpoint: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RASA_TOKPRUNE_CACHE", str(tmp_path / "file" / "cache"))
    assert native(new_checkpoint(seed=22), PLANS["drop"]).encode(CORPUS).any()


def test_sizes_it_cannot_run_are_named(new_checkpoint: Callable[..., Path]) -> None:
    folder = new_checkpoint(intermediate_size=50)
    with pytest.raises(ConfigError, match="multiples of 16; this model has 32 and 50"):
        native(folder, PruningPlan.identity(N_LAYERS))
    assert load_encoder(str(folder), precision="auto").model.backend.value != "native"
