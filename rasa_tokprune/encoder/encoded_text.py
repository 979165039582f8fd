"""One encoded text, with what happened to each of its tokens."""

from __future__ import annotations

import dataclasses

import numpy as np

from rasa_tokprune.encoder.tokens import Tokens


@dataclasses.dataclass(frozen=True)
class EncodedText:
    """One text, encoded, with what happened to each of its tokens.

    Attributes:
        embedding: (embedding_size,) float32.
        states: Last state of every token; pruned ones: the state they were left with,
            (n_tokens, hidden_size) float32.
        tokens: The token ids, offsets and flags behind `states`.
        pruned_after: Layer after which each token was pruned, -1 if never, (n_tokens,).
        token_layers: Rows put through a layer, a key-and-value-only row counting as its
            share of a layer's matrix work.
        n_layers: Layers of the un-pruned model; full cost is n_tokens * n_layers.
    """

    embedding: np.ndarray
    states: np.ndarray
    tokens: Tokens
    pruned_after: np.ndarray
    token_layers: float
    n_layers: int

    @property
    def cost(self) -> float:
        """Token-layers spent as a share of the un-pruned model's, in (0, 1]."""
        return self.token_layers / (len(self.tokens) * self.n_layers)
