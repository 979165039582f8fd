"""What backends that encode one sentence at a time have in common."""

from __future__ import annotations

import abc
import functools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Optional

import numpy as np

from rasa_tokprune.encoder.adapters.weight_source import WeightSource
from rasa_tokprune.encoder.backends.batch import ForwardResult, PackedTokens
from rasa_tokprune.encoder.backends.relative_bias import relative_bucket
from rasa_tokprune.encoder.checkpoint.weights import load_embeddings
from rasa_tokprune.encoder.plans.plan import PruningPlan


class SentenceRunner(abc.ABC):
    """Encodes sentence by sentence, several at a time on threads.

    Sentences share nothing, not even a scale of 8-bit numbers, so none depends on another, and
    nothing is spent on padding.
    """

    def __init__(self, source: WeightSource, num_threads: int) -> None:
        """Maps the embedding tables.

        Raises:
            CheckpointError: If files are missing or damaged.
        """
        self.num_threads = num_threads
        tables = load_embeddings(source.folder, source.spec)
        self._words, self._relative_bias = tables.words, tables.relative_bias
        self._positions = np.array(tables.positions)
        if tables.token_type is not None:
            self._positions += tables.token_type

    @abc.abstractmethod
    def prepare(self, plan: PruningPlan, folder: Optional[Path] = None) -> None:
        """Makes ready what `plan` needs; see `Runner`."""

    @abc.abstractmethod
    def encode_sentence(
        self,
        ids: np.ndarray,
        position_ids: np.ndarray,
        is_protected: np.ndarray,
        bias: Optional[np.ndarray],
        plan: PruningPlan,
        needs_states: bool,
    ) -> ForwardResult:
        """Encodes one sentence.

        Args:
            ids: Token ids, (n_tokens,) int64.
            position_ids: Rows of the position embedding, (n_tokens,) int64.
            is_protected: Tokens that are never pruned, (n_tokens,) bool.
            bias: MPNet's bias, (n_heads, n_tokens, n_tokens) float32, or None.
            plan: What to prune.
            needs_states: See `Runner`.
        """

    def run(
        self, tokens: PackedTokens, plan: PruningPlan, *, needs_states: bool = True
    ) -> ForwardResult:
        """Runs the encoder; see `Runner`."""
        run = functools.partial(self._run_span, tokens=tokens, plan=plan, needs_states=needs_states)
        if len(tokens.lengths) == 1:
            return run(slice(None))
        ends = np.cumsum(tokens.lengths).tolist()
        spans = [slice(start, end) for start, end in zip([0, *ends], ends)]
        if self.num_threads == 1:
            results = [run(span) for span in spans]
        else:
            with ThreadPoolExecutor(self.num_threads) as pool:
                results = list(pool.map(run, spans))
        pooled = [result.pooled for result in results if result.pooled is not None]
        return ForwardResult(
            np.concatenate([result.states for result in results]),
            np.concatenate([result.pruned_after for result in results]),
            np.concatenate(pooled) if pooled else None,
        )

    def _run_span(
        self, span: slice, tokens: PackedTokens, plan: PruningPlan, needs_states: bool
    ) -> ForwardResult:
        ids = tokens.ids[span]
        bias = None
        if self._relative_bias is not None:
            bias = attention_bias(self._relative_bias, len(ids))
        return self.encode_sentence(
            ids, tokens.position_ids[span], tokens.is_protected[span], bias, plan, needs_states
        )


def attention_bias(table: np.ndarray, n_tokens: int) -> np.ndarray:
    """Returns MPNet's bias of a sentence, (n_heads, n_tokens, n_tokens)."""
    buckets = _buckets(n_tokens, len(table))
    return np.ascontiguousarray(table[buckets].transpose(2, 0, 1))


@functools.lru_cache(maxsize=64)
def _buckets(n_tokens: int, n_buckets: int) -> np.ndarray:
    places = np.arange(n_tokens)
    return relative_bucket(places[None, :] - places[:, None], n_buckets)
