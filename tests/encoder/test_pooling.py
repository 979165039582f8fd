"""One pooling for numpy and for torch: what an encoder pools is what a student is trained on."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from rasa_tokprune.encoder.backends.torch.operations import operations
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan
from rasa_tokprune.encoder.pooling import count_pooled, pool, pooled_rows
from rasa_tokprune.encoder.tokens import Tokens

LENGTHS = np.array([1, 4, 2])
MODES = ("cls", "max", "mean", "mean_sqrt_len")


def tokens(n_tokens: int, n_prompt: int = 0) -> Tokens:
    ids = np.arange(n_tokens)
    return Tokens(ids, np.zeros(n_tokens, dtype=bool), [(0, 1)] * n_tokens, n_prompt=n_prompt)


@pytest.mark.parametrize("modes", [*((mode,) for mode in MODES), ("cls", "mean")])
@pytest.mark.parametrize("normalize", [True, False])
def test_numpy_and_torch_pool_alike(tiny_bert: Path, modes: tuple, normalize: bool) -> None:
    spec = EncoderSpec.from_folder(tiny_bert)
    spec = dataclasses.replace(spec, pooling=modes, normalize=normalize)
    states = np.random.default_rng(0).normal(size=(LENGTHS.sum(), 5)).astype(np.float32)
    pooled = pool(states, LENGTHS, spec, ())
    assert pooled.shape == (3, 5 * len(modes))
    tensor = torch.from_numpy(states).requires_grad_()
    trained = pool(tensor, LENGTHS, spec, (), operations("cpu"))
    np.testing.assert_allclose(trained.detach().numpy(), pooled, atol=1e-6)
    trained.sum().backward()
    assert tensor.grad is not None
    assert bool(torch.isfinite(tensor.grad).all())


def test_a_mean_by_hand(tiny_bert: Path) -> None:
    spec = dataclasses.replace(EncoderSpec.from_folder(tiny_bert), normalize=False)
    assert spec.pooling == ("mean",)
    states = np.array([[8.0], [1.0], [2.0], [3.0], [6.0], [0.0], [4.0]], dtype=np.float32)
    assert pool(states, LENGTHS, spec, ()).ravel().tolist() == [8.0, 3.0, 2.0]


def test_rows_that_are_pooled(tiny_bert: Path) -> None:
    spec = EncoderSpec.from_folder(tiny_bert)
    drop = PruningPlan(4, (0.5, 0.0, 0.0, 0.0), mode=PruneMode.DROP)
    freeze = dataclasses.replace(drop, mode=PruneMode.FREEZE)
    sentences = [tokens(1), tokens(4, n_prompt=2), tokens(2)]
    pruned_after = np.array([-1, -1, -1, 0, -1, -1, 0])
    assert pooled_rows(sentences, pruned_after, freeze, spec) is None
    kept = pooled_rows(sentences, pruned_after, drop, spec)
    assert kept is not None
    assert count_pooled(LENGTHS, kept).tolist() == [1, 3, 1]
    without_prompt = dataclasses.replace(spec, include_prompt=False)
    rest = pooled_rows(sentences, pruned_after, freeze, without_prompt)
    assert rest is not None
    assert rest.tolist() == [True, False, False, True, True, True, True]
    both = pooled_rows(sentences, pruned_after, drop, without_prompt)
    assert both is not None
    assert count_pooled(LENGTHS, both).tolist() == [1, 1, 1]
