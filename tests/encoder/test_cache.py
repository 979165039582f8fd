"""The cache of embeddings: the same answers, least recently used out first, counted."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.encoder.cache import EmbeddingCache, Reading
from rasa_tokprune.errors import ConfigError
from tests.checkpoints import CORPUS


def test_known_texts_get_the_same_embedding(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), cache_size=10)
    texts = [CORPUS[0], CORPUS[1], CORPUS[0]]
    first = encoder.encode(texts)
    assert (encoder.encode(texts) == first).all()
    assert (load_encoder(str(tiny_bert)).encode(texts) == first).all()
    info = encoder.cache_info()
    assert (info.hits, info.misses, info.size, info.max_size) == (3, 3, 2, 10)
    assert info.hit_rate == 0.5


def test_changing_an_answer_changes_no_later_one(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), cache_size=10)
    first = encoder.encode(CORPUS[:1])
    expected = first.copy()
    first[:] = 0
    assert (encoder.encode(CORPUS[:1]) == expected).all()


def test_the_least_recently_used_goes_first(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), cache_size=2)
    for text in ("one", "two", "one", "three", "one", "two"):
        encoder.encode([text])
    assert encoder.cache_info().hits == 2  # "one" twice; "two" had to make room for "three"
    assert encoder.cache_info().size == 2


def test_blank_texts_are_zero_only_if_asked(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), cache_size=5)
    texts = ["", "hello", "  \t"]
    assert encoder.encode(texts).any(axis=1).tolist() == [True, True, True]
    zeroed = encoder.encode(texts, zero_blank=True)
    assert zeroed.any(axis=1).tolist() == [False, True, False]


def test_zero_remembers_nothing(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert))
    encoder.encode(["hello"] * 2)
    assert encoder.cache_info().size == 0
    assert encoder.cache_info().hit_rate == 0.0
    with pytest.raises(ConfigError, match="cache_size must be >= 0, got -1"):
        load_encoder(str(tiny_bert), cache_size=-1)


def test_threads_share_it(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), cache_size=3, num_threads=1)
    expected = load_encoder(str(tiny_bert)).encode(CORPUS)
    with ThreadPoolExecutor(4) as pool:
        for answers in pool.map(lambda _: encoder.encode(CORPUS), range(20)):
            np.testing.assert_allclose(answers, expected, atol=1e-6)
    info = encoder.cache_info()
    assert info.hits + info.misses == 20 * len(CORPUS)
    assert info.size == 3


def test_it_is_bounded_in_bytes() -> None:
    size = 384
    cache = EmbeddingCache(100)
    for number in range(1000):  # of the texts that weigh most: four bytes a character
        text = f"{number:04}" + "\U0001f600" * (100 if number % 2 else 496)
        cache.put(text, Reading(np.zeros(size, dtype=np.float32), 1.0))
        cache.put(text * 1000, Reading(np.zeros(size, dtype=np.float32), 1.0))
    held = cache._readings
    weight = sum(sys.getsizeof(key) + value.embedding.nbytes for key, value in held.items())
    assert len(held) == 100
    assert weight < 100 * (500 * 4 + 100 + size * 4)


def test_long_texts_are_not_remembered(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), cache_size=10)
    texts = ["hello " * 1000, "hello"]
    assert (encoder.encode(texts) == encoder.encode(texts)).all()
    assert encoder.cache_info().size == 1
