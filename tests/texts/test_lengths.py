"""Texts have exactly the length they are said to have."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.lengths import (
    by_bucket,
    read_messages,
    sample,
    texts_of_length,
    token_counter,
    words_of,
)
from tests.checkpoints import CORPUS

MESSAGES = [*CORPUS, "hello", "refund"]


@pytest.mark.parametrize("n_tokens", [3, 8, 31])
def test_exact_length(tiny_bert: Path, n_tokens: int) -> None:
    count_tokens = token_counter(tiny_bert)
    texts = texts_of_length(n_tokens, words_of(MESSAGES), count_tokens, n_texts=5, seed=1)
    assert [count_tokens(text) for text in texts] == [n_tokens] * 5
    assert len(set(texts)) > 1
    assert texts == texts_of_length(n_tokens, words_of(MESSAGES), count_tokens, n_texts=5, seed=1)


def test_impossible_length(tiny_bert: Path) -> None:
    # refund ##s: with [CLS] and [SEP] 4 tokens, twice 6.
    with pytest.raises(ConfigError, match="no text of exactly 5 tokens .* give more messages"):
        texts_of_length(5, ["refunds"], token_counter(tiny_bert), n_texts=1, seed=0)


def test_buckets_hold_their_lengths(tiny_bert: Path) -> None:
    count_tokens = token_counter(tiny_bert)
    buckets = by_bucket(MESSAGES, count_tokens, n_texts=2, seed=0)
    assert set(buckets) == {"<=8", "9-16"}  # the corpus has nothing longer
    assert all(count_tokens(text) <= 8 for text in buckets["<=8"])
    assert all(9 <= count_tokens(text) <= 16 for text in buckets["9-16"])
    assert max(map(len, buckets.values())) == 2


def test_messages_from_training_data_and_text(tmp_path: Path) -> None:
    data = 'version: "3.1"\nnlu:\n- intent: yes\n  examples: |\n    - go [there](place)\n    - ok\n'
    (tmp_path / "nlu.yml").write_text(data)
    (tmp_path / "more.txt").write_text("one line\n\nanother\n")
    paths = [tmp_path / "nlu.yml", tmp_path / "more.txt"]
    assert sorted(read_messages(paths)) == ["another", "go there", "ok", "one line"]
    with pytest.raises(ConfigError, match="'no.yml' does not exist"):
        read_messages([Path("no.yml")])


def test_sample_repeats_only_if_it_must() -> None:
    assert sorted(sample(MESSAGES, len(MESSAGES), seed=0)) == sorted(MESSAGES)
    assert len(sample(MESSAGES, 50, seed=0)) == 50
