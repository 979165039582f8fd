"""Throughput over many texts of mixed lengths, as in training or offline work."""

from __future__ import annotations

from typing import Sequence

from rasa_tokprune.evaluation.bench.comparison import Comparison, Condition, compare
from rasa_tokprune.evaluation.bench.engines.registry import DEFAULT
from rasa_tokprune.evaluation.bench.rows import RowStore
from rasa_tokprune.evaluation.bench.texts import sample, token_counter
from rasa_tokprune.evaluation.bench.worker_process import WorkerSettings

N_TEXTS = 5000
ENGINES = tuple(name for name in DEFAULT if not name.startswith("openvino"))
_N_WARM = 128
_SEED = 0


def measure_throughput(
    messages: Sequence[str],
    engines: Sequence[str],
    settings: WorkerSettings,
    store: RowStore,
    *,
    model: str,
    repetitions: int,
    n_texts: int = N_TEXTS,
) -> None:
    """Measures one call with many texts; see `compare`.

    Every engine forms its own batches at its default size; the peers' are 32 texts, padded,
    sorted by length. The untimed call before takes the first texts only.
    """
    texts = sample(messages, n_texts, _SEED)
    count_tokens = token_counter(settings.folder)
    n_tokens = sum(count_tokens(text) for text in texts)
    base = {
        "benchmark": "throughput",
        "model": model,
        "batch_size": settings.batch_size or "default",
        "n_tokens_mean": n_tokens / n_texts,
    }
    condition = Condition({"n_texts": n_texts}, (tuple(texts),), n_warm_texts=_N_WARM)
    groups = [[name] for name in engines]
    compare(Comparison(base, groups, [condition], repetitions), settings, store)
