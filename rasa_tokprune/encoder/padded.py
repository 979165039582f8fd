"""Tokens of several texts as padded arrays, as other libraries hand them around, and back."""

from __future__ import annotations

from typing import Dict, List, Mapping, Sequence

import numpy as np

from rasa_tokprune.encoder.tokens import Tokens

NAMES = ("input_ids", "attention_mask", "special_tokens_mask")


def pad(tokens: Sequence[Tokens], pad_token_id: int) -> Dict[str, np.ndarray]:
    """Returns arrays by the names of transformers, (n_texts, most tokens) int64, padded right.

    Args:
        tokens: Of each text.
        pad_token_id: Stands where a text has no token.
    """
    shape = (len(tokens), max(map(len, tokens), default=0))
    ids, mask, special = np.full(shape, pad_token_id, dtype=np.int64), *np.zeros((2, *shape), int)
    for row, own in enumerate(tokens):
        ids[row, : len(own)] = own.ids
        mask[row, : len(own)] = 1
        special[row, : len(own)] = own.is_special
    return dict(zip(NAMES, (ids, mask, special)))


def unpad(arrays: Mapping[str, np.ndarray], n_prompt: int = 0) -> List[Tokens]:
    """Returns the tokens that `pad` made arrays of, without their places in the text.

    Args:
        arrays: As `pad` returns them.
        n_prompt: Leading tokens of every text that belong to a prompt, special ones counted.
    """
    found = []
    for ids, mask, special in zip(*(arrays[name] for name in NAMES)):
        is_real = mask.astype(bool)
        n_tokens = int(is_real.sum())
        found.append(
            Tokens(ids[is_real], special[is_real] > 0, (), n_prompt=min(n_prompt, n_tokens))
        )
    return found
