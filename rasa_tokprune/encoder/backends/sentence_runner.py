"""What backends that encode one sentence at a time have in common."""

from __future__ import annotations

import abc
import functools
import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Iterator, List, Optional

import numpy as np

from rasa_tokprune.encoder.adapters.weight_source import WeightSource
from rasa_tokprune.encoder.backends.batch import ForwardResult, PackedTokens
from rasa_tokprune.encoder.backends.relative_bias import relative_bucket
from rasa_tokprune.encoder.checkpoint.weights import load_embeddings
from rasa_tokprune.encoder.plans.plan import PruningPlan

# Several, so that no thread waits long for the last one.
_SHARES_OF_A_THREAD = 4


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
        tokens: PackedTokens,
        bias: Optional[np.ndarray],
        plan: PruningPlan,
        *,
        needs_states: bool,
        n_threads: int,
    ) -> ForwardResult:
        """Encodes one sentence.

        Args:
            tokens: Of that sentence alone.
            bias: MPNet's bias, (n_heads, n_tokens, n_tokens) float32, or None.
            plan: What to prune.
            needs_states: See `Runner`.
            n_threads: Threads that no other sentence of this call needs.
        """

    def run(
        self, tokens: PackedTokens, plan: PruningPlan, *, needs_states: bool = True
    ) -> ForwardResult:
        """Runs the encoder; see `Runner`."""
        if len(tokens.lengths) == 1:
            return self._encode(tokens, plan, needs_states, self.num_threads)
        run = functools.partial(self._encode, plan=plan, needs_states=needs_states, n_threads=1)
        if self.num_threads == 1:
            results = [run(sentence) for sentence in tokens.split()]
        else:
            with ThreadPoolExecutor(self.num_threads) as pool:
                shares = pool.map(lambda share: list(map(run, share)), self._shares(tokens.split()))
                results = list(itertools.chain.from_iterable(shares))
        pooled = [result.pooled for result in results if result.pooled is not None]
        return ForwardResult(
            np.concatenate([result.states for result in results]),
            np.concatenate([result.pruned_after for result in results]),
            np.concatenate(pooled) if pooled else None,
        )

    def _shares(self, sentences: List[PackedTokens]) -> Iterator[List[PackedTokens]]:
        """Yields sentences to be handed to a thread together: each alone takes longer to hand."""
        size = max(1, len(sentences) // (_SHARES_OF_A_THREAD * self.num_threads))
        for start in range(0, len(sentences), size):
            yield sentences[start : start + size]

    def _encode(
        self, tokens: PackedTokens, plan: PruningPlan, needs_states: bool, n_threads: int
    ) -> ForwardResult:
        bias = None
        if self._relative_bias is not None:
            bias = attention_bias(self._relative_bias, len(tokens.ids))
        return self.encode_sentence(
            tokens, bias, plan, needs_states=needs_states, n_threads=n_threads
        )


def attention_bias(table: np.ndarray, n_tokens: int) -> np.ndarray:
    """Returns MPNet's bias of a sentence, (n_heads, n_tokens, n_tokens)."""
    buckets = _buckets(n_tokens, len(table))
    return np.ascontiguousarray(table[buckets].transpose(2, 0, 1))


@functools.lru_cache(maxsize=64)
def _buckets(n_tokens: int, n_buckets: int) -> np.ndarray:
    places = np.arange(n_tokens)
    return relative_bucket(places[None, :] - places[:, None], n_buckets)
