"""Texts as a student sees them: tokens alone."""

from __future__ import annotations

import dataclasses
from typing import Optional, Sequence

import numpy as np

from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.backends.batch import PackedTokens, join
from rasa_tokprune.encoder.tokens import Tokens
from rasa_tokprune.encoder.written import without_end


@dataclasses.dataclass(frozen=True)
class Sentences:
    """Tokenized texts, as arrays alone.

    Attributes:
        packed: Their tokens, end to end.
        is_pooled: Tokens that take part in pooling whatever is pruned, (n_rows,) bool; None: all.
    """

    packed: PackedTokens
    is_pooled: Optional[np.ndarray]

    @classmethod
    def of(cls, tokens: Sequence[Tokens], encoder: Encoder) -> Sentences:
        """Packs texts that were tokenized for an encoder."""
        spec = encoder.model.spec
        is_pooled = None
        if not spec.include_prompt and any(each.n_prompt for each in tokens):
            is_pooled = join([np.arange(len(each)) >= each.n_prompt for each in tokens])
        return cls(PackedTokens.of(tokens, spec.position_offset), is_pooled)


def tokenize(
    encoder: Encoder, drops_end: bool, texts: Sequence[str], longest: Optional[int] = None
) -> Sentences:
    """Tokenizes texts as an encoder with a student's plan would.

    Args:
        encoder: The student's, un-pruned.
        drops_end: Whether the plan drops punctuation at the end.
        texts: At least one.
        longest: Most tokens of a text; None: what the encoder reads.
    """
    size = min(longest or encoder.max_length, encoder.max_length)
    kept = [without_end(text) for text in texts] if drops_end else texts
    return Sentences.of(encoder.model.tokenizer.tokenize(kept, size, encoder.prompt), encoder)
