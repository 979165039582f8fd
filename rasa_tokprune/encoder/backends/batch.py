"""What goes into a backend and what comes out: sentences end to end, no padding."""

from __future__ import annotations

import dataclasses
import functools
from pathlib import Path
from typing import List, Optional, Protocol, Sequence

import numpy as np

from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan
from rasa_tokprune.encoder.tokens import Tokens

NEVER_PRUNED = -1


@dataclasses.dataclass(frozen=True)
class PackedTokens:
    """Sentences end to end; every forward pass, in use and in training, starts from them.

    Attributes:
        ids: Token ids, (n_rows,) int64.
        is_protected: Tokens that are never pruned, (n_rows,) bool.
        lengths: Tokens of each sentence, (n_sentences,) int64; sums to n_rows.
        position_offset: See `EncoderSpec.position_offset`.
    """

    ids: np.ndarray
    is_protected: np.ndarray
    lengths: np.ndarray
    position_offset: int

    @classmethod
    def of(cls, sentences: Sequence[Tokens], position_offset: int) -> PackedTokens:
        """Packs sentences; special tokens and those of a prompt are protected.

        Args:
            sentences: Tokens of each, at least one.
            position_offset: See `EncoderSpec.position_offset`.
        """
        return cls(
            ids=join([t.ids for t in sentences]),
            is_protected=join([_is_protected(t) for t in sentences]),
            lengths=np.array([len(t) for t in sentences]),
            position_offset=position_offset,
        )

    @functools.cached_property
    def position_ids(self) -> np.ndarray:
        """Rows of the position embedding, (n_rows,) int64."""
        ends = np.cumsum(self.lengths).tolist()
        sentences = (self.ids[start:end] for start, end in zip([0, *ends], ends))
        return join([position_ids(ids, self.position_offset) for ids in sentences])

    def split(self) -> List[PackedTokens]:
        """Returns every sentence alone."""
        ends = np.cumsum(self.lengths).tolist()
        return [
            PackedTokens(
                self.ids[start:end],
                self.is_protected[start:end],
                self.lengths[number : number + 1],
                self.position_offset,
            )
            for number, (start, end) in enumerate(zip([0, *ends], ends))
        ]


@dataclasses.dataclass(frozen=True)
class ForwardResult:
    """What a forward pass leaves behind.

    Attributes:
        states: Last state of every token, (n_rows, hidden_size) float32; none, as of
            `pruned_after`, if `pooled` is there and nobody needs them.
        pruned_after: Layer after which each token was pruned, NEVER_PRUNED if kept,
            (n_rows,) integers.
        pooled: Sentence embeddings, (n_sentences, hidden_size) float32, of a backend that pools
            itself as the model asks; else None.
    """

    states: np.ndarray
    pruned_after: np.ndarray
    pooled: Optional[np.ndarray] = None


class Runner(Protocol):
    """A loaded model on one backend; read-only, so that threads can share it."""

    def prepare(self, plan: PruningPlan, folder: Optional[Path] = None) -> None:
        """Makes ready what `plan` needs, so that no message waits for it.

        Args:
            plan: The plan.
            folder: Where the checkpoint lies now: a server unpacks a bundled one into a folder that
                it deletes later. None leaves what is known.
        """

    def run(
        self, tokens: PackedTokens, plan: PruningPlan, *, needs_states: bool = True
    ) -> ForwardResult:
        """Runs the encoder over packed sentences with the plan active.

        A sentence's result does not depend on its neighbours. The identity plan is the
        original model.

        Args:
            tokens: The sentences.
            plan: What to prune.
            needs_states: Whether the tokens' states are wanted, not only what is pooled.
        """


def _is_protected(tokens: Tokens) -> np.ndarray:
    if not tokens.n_prompt:
        return tokens.is_special
    return tokens.is_special | (np.arange(len(tokens)) < tokens.n_prompt)


def position_ids(ids: np.ndarray, offset: int) -> np.ndarray:
    """Returns rows of the position embedding, (n_tokens,) int64.

    RoBERTa and MPNet (offset = pad id + 1) count only tokens that are not the pad token, as
    Hugging Face does; a user can type that token.
    """
    if offset == 0:
        return np.arange(len(ids), dtype=np.int64)
    is_real = ids != offset - 1
    return np.cumsum(is_real, dtype=np.int64) * is_real + offset - 1


def token_layers(pruned_after: np.ndarray, plan: PruningPlan, kv_share: float) -> float:
    """Returns the rows put through a layer for one sentence.

    A frozen token still costs its key and value in every later layer, a share of a row.

    Args:
        pruned_after: Layer after which each token was pruned, (n_tokens,).
        plan: The plan that was active.
        kv_share: Share of a layer's matrix work that one key and value cost.
    """
    spent = 0.0
    for layer in plan.kept_layers or ():
        n_active = int(((pruned_after == NEVER_PRUNED) | (pruned_after >= layer)).sum())
        spent += n_active
        if plan.mode is PruneMode.FREEZE:
            spent += kv_share * (len(pruned_after) - n_active)
    return spent


def join(arrays: List[np.ndarray]) -> np.ndarray:
    """Returns arrays end to end; one alone is not copied."""
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
