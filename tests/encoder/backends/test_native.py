"""The C library computes, to the last bit, what plain numpy does."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import structlog

from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder
from rasa_tokprune.encoder.backends.batch import PackedTokens, position_ids
from rasa_tokprune.encoder.backends.builds import runnable_builds
from rasa_tokprune.encoder.backends.native import library as library_module
from rasa_tokprune.encoder.backends.native import runner as runner_module
from rasa_tokprune.encoder.backends.sentence_runner import attention_bias
from rasa_tokprune.encoder.checkpoint.weights import load_weights
from rasa_tokprune.encoder.plans.plan import PruneMode
from rasa_tokprune.errors import CheckpointError, ConfigError
from tests.checkpoints import ARCHITECTURES, CORPUS, N_LAYERS
from tests.encoder.backends.exact_int8 import exact_int8, pool
from tests.plans import PLANS, TEXTS

BUILDS = runnable_builds()
pytestmark = pytest.mark.skipif(not BUILDS, reason="not built for this machine")


def native(folder: Path, plan: PruningPlan, **settings: Any) -> Encoder:
    return load_encoder(str(folder), prune=plan, backend="native", precision="int8", **settings)


@pytest.mark.parametrize("build", BUILDS)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", PLANS)
def test_it_equals_numpy(
    checkpoint: Callable[[str], Path],
    architecture: str,
    name: str,
    build: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(library_module, "candidates", lambda: [BUILDS[build]])
    folder, plan = checkpoint(architecture), PLANS[name]
    # Another number of threads is another model in this process.
    encoder = native(folder, plan, num_threads=1 + list(BUILDS).index(build))
    spec = encoder.model.spec
    weights = load_weights(folder, spec)
    texts = [*TEXTS, " ".join(CORPUS)]
    for encoded in encoder.encode_detailed(texts):
        first, bias = first_states(weights.embeddings, spec, encoded.tokens.ids)
        states, pruned_after = exact_int8(
            weights, spec, first, encoded.tokens.is_special, bias, plan
        )
        assert encoded.pruned_after.tolist() == pruned_after
        assert (encoded.states == states).all()
        is_pooled = (encoded.pruned_after < 0) | (plan.mode is PruneMode.FREEZE)
        assert (encoded.embedding == pool(states[is_pooled], spec)).all()


def first_states(tables: Any, spec: Any, ids: np.ndarray) -> Any:
    positions = tables.positions
    if tables.token_type is not None:
        positions = positions + tables.token_type
    first = tables.words[ids] + positions[position_ids(ids, spec.position_offset)]
    if tables.relative_bias is None:
        return first, None
    return first, attention_bias(tables.relative_bias, len(ids))


@pytest.mark.parametrize("activation", ["gelu", "gelu_new", "relu", "silu", "tanh"])
def test_activations(new_checkpoint: Callable[..., Path], activation: str) -> None:
    folder = new_checkpoint(hidden_act=activation)
    encoder = native(folder, PruningPlan.identity(N_LAYERS))
    weights, spec = load_weights(folder, encoder.model.spec), encoder.model.spec
    for encoded in encoder.encode_detailed(CORPUS):
        first, bias = first_states(weights.embeddings, spec, encoded.tokens.ids)
        states, _ = exact_int8(weights, spec, first, encoded.tokens.is_special, bias, encoder.plan)
        assert (encoded.states == states).all()
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
    states, _ = exact_int8(weights, spec, first, encoded.tokens.is_special, bias, one_layer)
    assert (encoded.states == states).all()
    for name, n_pruned in (("freeze first", 299 + 99 + 20), ("drop", 150 + 105)):
        pruned = native(folder, PLANS[name]).encode_detailed([text])[0]
        assert (pruned.pruned_after >= 0).sum() == n_pruned
        assert np.isfinite(pruned.states).all()


def test_sentences_do_not_know_their_neighbours(tiny_bert: Path) -> None:
    encoder = native(tiny_bert, PLANS["freeze"], num_threads=3)
    together = encoder.encode(CORPUS * 5)
    alone = np.concatenate([encoder.encode([text]) for text in CORPUS * 5])
    assert (together == alone).all()


@pytest.mark.parametrize(("hidden", "wide"), [(32, 48), (64, 32)])
@pytest.mark.parametrize("name", ["identity", "freeze", "drop"])
def test_a_long_sentence_is_the_same_by_any_number_of_threads(
    new_checkpoint: Callable[..., Path], name: str, hidden: int, wide: int
) -> None:
    sizes = {"hidden_size": hidden, "intermediate_size": wide}
    folder = new_checkpoint(max_seq_length=300, max_position_embeddings=300, **sizes)
    texts = [" ".join((CORPUS * 9)[:n]) for n in (3, 9, 14, 40, 60)]
    alone = native(folder, PLANS[name], num_threads=1)
    for n_threads in (2, 3, 5):
        shared = native(folder, PLANS[name], num_threads=n_threads)
        for text in texts:
            assert (shared.encode([text]) == alone.encode([text])).all()


def test_long_sentences_at_once_and_in_a_forked_process(
    new_checkpoint: Callable[..., Path],
) -> None:
    folder = new_checkpoint(max_seq_length=300, max_position_embeddings=300)
    texts = [" ".join((CORPUS * 9)[n : n + 30]) for n in range(20)]
    right = native(folder, PLANS["freeze"], num_threads=1).encode(texts)
    encoder = native(folder, PLANS["freeze"], num_threads=4)
    with ThreadPoolExecutor(6) as pool:
        rows = list(pool.map(lambda text: encoder.encode([text])[0], texts * 10))
    assert (np.array(rows) == np.tile(right, (10, 1))).all()
    context = multiprocessing.get_context("fork")
    results = context.SimpleQueue()  # a child has none of the helping threads
    child = context.Process(target=lambda: results.put(encoder.encode(texts[:1])))
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert (results.get() == right[:1]).all()


def test_a_build_that_the_system_forbids_is_passed_over(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Forbidden:
        def tokprune_prepare(self) -> int:
            return 0

    load, (fastest, *_) = library_module._load, BUILDS.values()
    forbidden = fastest.with_name("forbidden")
    monkeypatch.setattr(
        library_module, "_load", lambda path: Forbidden() if path == forbidden else load(path)
    )
    monkeypatch.setattr(library_module, "candidates", lambda: [forbidden, fastest])
    with structlog.testing.capture_logs() as logs:
        assert native(tiny_bert, PLANS["drop"], num_threads=77).encode(CORPUS).any()
    (log,) = (log for log in logs if log["event"] == "rasa_tokprune.build_not_allowed")
    assert (log["log_level"], log["build"]) == ("debug", "forbidden")
    monkeypatch.setattr(library_module, "candidates", lambda: [forbidden])
    with pytest.raises(ConfigError, match="the system does not allow"):
        native(tiny_bert, PLANS["drop"], num_threads=78)


def test_a_token_without_an_embedding_is_refused(tiny_bert: Path) -> None:
    encoder = native(tiny_bert, PLANS["drop"])
    tokens = PackedTokens.of(encoder.tokenize(["hello"]), 0)
    tokens.ids[1] = 10**6
    with pytest.raises(CheckpointError, match="token ids up to 1000000"):
        encoder.model.runner.run(tokens, encoder.plan)
    tokens.ids[1] = -1
    with pytest.raises(CheckpointError, match="are not of one model"):
        encoder.model.runner.run(tokens, encoder.plan)


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
    with pytest.raises(ConfigError, match="multiples of 16, .*; this model has 32, 50 and "):
        native(folder, PruningPlan.identity(N_LAYERS))
    wide = new_checkpoint(hidden_size=1040, num_attention_heads=2)
    with pytest.raises(ConfigError, match="heads of at most 512; this model has 1040, .* and 520"):
        native(wide, PruningPlan.identity(N_LAYERS))
    assert load_encoder(str(folder), precision="auto").model.backend.value != "native"
