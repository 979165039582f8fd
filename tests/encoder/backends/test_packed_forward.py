"""The packed, pruned forward pass equals the slow loop, and spends what it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from rasa_tokprune.encoder import Encoder, PruneMode, load_encoder
from tests.checkpoints import ARCHITECTURES
from tests.encoder.backends.slow_loop import slow_forward
from tests.plans import PLANS, TEXTS


@pytest.mark.thorough
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_packed_equals_slow_loop(
    checkpoint: Callable[[str], Path], architecture: str, name: str, backend: str
) -> None:
    folder, plan = str(checkpoint(architecture)), PLANS[name]
    encoder = load_encoder(folder, prune=plan, backend=backend)
    for encoded in encoder.encode_detailed(TEXTS):
        tokens = encoded.tokens
        states, pruned_after, cost, _ = slow_forward(
            folder, encoder.model.spec, tokens.ids, tokens.is_special, plan
        )
        assert encoded.pruned_after.tolist() == pruned_after
        np.testing.assert_allclose(encoded.states, states, atol=1e-5)
        assert encoded.token_layers == pytest.approx(cost)
        kept = np.array(pruned_after) < 0
        pooled = states[kept] if plan.mode is PruneMode.DROP else states
        mean = pooled.mean(axis=0)
        np.testing.assert_allclose(encoded.embedding, mean / np.linalg.norm(mean), atol=1e-5)


@pytest.mark.parametrize("name", PLANS)
def test_token_layers_are_the_rows_really_multiplied(
    tiny_bert: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder = load_encoder(str(tiny_bert), prune=PLANS[name], backend="torch")
    spent = 0
    linear = torch.nn.functional.linear

    def counting_linear(x: torch.Tensor, weight: torch.Tensor, *rest: Any) -> torch.Tensor:
        nonlocal spent
        spent += len(x) * weight.numel()
        return linear(x, weight, *rest)

    monkeypatch.setattr(torch.nn.functional, "linear", counting_linear)
    encoded = encoder.encode_detailed(TEXTS)
    spec = encoder.model.spec
    layer_size = 4 * spec.hidden_size**2 + 2 * spec.hidden_size * spec.intermediate_size
    assert sum(e.token_layers for e in encoded) == pytest.approx(spent / layer_size)
    if name == "identity":
        assert [e.cost for e in encoded] == [1.0] * len(TEXTS)


def test_kept_counts_follow_the_quantile(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), prune=PLANS["drop"])
    encoded = encoder.encode_detailed([" ".join(["parcel"] * 12)])[0]
    n_content = int((~encoded.tokens.is_special).sum())
    after_first = int(np.ceil(0.3 * (n_content - 1) - 1e-9))
    after_second = int(np.ceil(0.3 * (n_content - after_first - 1) - 1e-9))
    assert (encoded.pruned_after == 1).sum() == after_first
    assert (encoded.pruned_after == 2).sum() == after_second


def test_gate_leaves_short_sentences_bit_identical(tiny_bert: Path) -> None:
    original = load_encoder(str(tiny_bert)).encode(["hello there"])
    gated = load_encoder(str(tiny_bert), prune=PLANS["gate"]).encode(["hello there"])
    assert (original == gated).all()


@settings(deadline=None, max_examples=30)
@given(
    texts=st.lists(st.text(max_size=40), min_size=1, max_size=8),
    name=st.sampled_from(["identity", "drop", "freeze", "gate", "skip"]),
    batch_size=st.integers(1, 8),
)
def test_any_text_alone_equals_any_batch(
    tiny_bert: Path, texts: list[str], name: str, batch_size: int
) -> None:
    model = load_encoder(str(tiny_bert)).model
    encoder = Encoder(model, PLANS[name], batch_size=batch_size)
    together = encoder.encode(texts)
    assert together.dtype == np.float32
    assert np.isfinite(together).all()
    for text, embedding in zip(texts, together):
        np.testing.assert_allclose(encoder.encode([text])[0], embedding, atol=1e-5)


def test_no_texts_give_no_rows(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert))
    assert encoder.encode([]).shape == (0, 32)
    assert encoder.encode_detailed([]) == []
