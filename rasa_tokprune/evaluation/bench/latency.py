"""Latency of one text: at exact numbers of tokens, and of real messages by length."""

from __future__ import annotations

from pathlib import Path
from typing import List, Sequence

from rasa_tokprune.evaluation.bench.comparison import Comparison, Condition, compare
from rasa_tokprune.evaluation.bench.rows import RowStore
from rasa_tokprune.evaluation.bench.texts import (
    by_bucket,
    texts_of_length,
    token_counter,
    words_of,
)
from rasa_tokprune.evaluation.bench.worker_process import WorkerSettings

LATENCY, LATENCY_WITHOUT_AVX512 = "latency", "latency without AVX-512"
LENGTHS = (8, 16, 32, 48, 64, 128, 256)
# Different texts for each length.
N_TEXTS = 8
_SEED = 0


def measure_latency(
    messages: Sequence[str],
    engines: Sequence[str],
    settings: WorkerSettings,
    store: RowStore,
    *,
    model: str,
    repetitions: int,
    n_warm_calls: int = 5,
    lengths: Sequence[int] = LENGTHS,
) -> None:
    """Measures engines one text at a time; see `compare`.

    Args:
        messages: Real messages; their words make the texts of exact lengths.
        engines: Names, see `engines.registry`.
        settings: Checkpoint, work folder, threads.
        store: Where the rows go.
        model: The checkpoint's name in the rows.
        repetitions: Timed calls for each engine and condition.
        n_warm_calls: Calls on the same text before each timed one.
        lengths: Tokens of the texts of exact length.
    """
    conditions = exact_conditions(messages, settings.folder, lengths)
    conditions += message_conditions(messages, settings.folder, repetitions)
    name = LATENCY_WITHOUT_AVX512 if settings.without_avx512 else LATENCY
    base = {"benchmark": name, "model": model, "batch_size": 1}
    groups = [[name] for name in engines]
    compare(Comparison(base, groups, conditions, repetitions, n_warm_calls), settings, store)


def exact_conditions(
    messages: Sequence[str], folder: Path, lengths: Sequence[int]
) -> List[Condition]:
    """Returns one condition for each number of tokens, special ones counted."""
    count_tokens, words = token_counter(folder), words_of(messages)
    conditions = []
    for n_tokens in lengths:
        texts = texts_of_length(n_tokens, words, count_tokens, n_texts=N_TEXTS, seed=_SEED)
        key = {"kind": "exact", "tokens": n_tokens}
        conditions.append(Condition(key, tuple((text,) for text in texts)))
    return conditions


def message_conditions(messages: Sequence[str], folder: Path, repetitions: int) -> List[Condition]:
    """Returns one condition for each bucket of lengths that has messages."""
    buckets = by_bucket(messages, token_counter(folder), n_texts=repetitions, seed=_SEED)
    return [
        Condition({"kind": "messages", "bucket": name}, tuple((text,) for text in texts))
        for name, texts in buckets.items()
    ]
