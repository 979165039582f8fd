"""Score, select, remove: the three steps of token pruning, as pure functions."""

from __future__ import annotations

from typing import Union

import torch
from torch import Tensor

from rasa_tokprune.encoder.plans.plan import ROUNDING, ThresholdKind


def token_importance(attention_probabilities: Tensor) -> Tensor:
    """Returns the attention each key receives, averaged over heads and queries.

    Source: arXiv 2408.11799 (average attention score); the same measure as PoWER-BERT
    and LTP (arXiv 2107.00910). The values of one sentence sum to 1.

    Args:
        attention_probabilities: After softmax, (batch_size, n_heads, n_queries, n_keys).

    Returns:
        (batch_size, n_keys), higher = keep.
    """
    return attention_probabilities.mean(dim=(1, 2))


def select_kept(
    importance: Tensor,
    is_protected: Tensor,
    threshold: float,
    *,
    kind: ThresholdKind = ThresholdKind.QUANTILE,
    seq_len: Union[int, Tensor] = 1,
) -> Tensor:
    """Marks the tokens that survive one layer.

    By quantile, the content tokens (those not protected) strictly below the linearly
    interpolated quantile of their own sentence's content tokens are pruned: of n,
    ceil(quantile * (n - 1)). The number depends on n alone; of equally important tokens the
    earlier stays.

    Args:
        importance: (batch_size, n_tokens), higher = keep.
        is_protected: Tokens that are never pruned, (batch_size, n_tokens) bool.
        threshold: Quantile in [0, 1), or absolute threshold >= 0; 0.0 keeps all.
        kind: How threshold is read.
        seq_len: Number of keys the attention was spread over, one for all or (batch_size, 1);
            used by ABSOLUTE, which prunes where importance < threshold / seq_len.

    Returns:
        (batch_size, n_tokens) bool, True = survives. Every protected token survives, and
        at least one content token where there is one.
    """
    content_importance = importance.masked_fill(is_protected, float("inf"))
    # Ascending by importance, later tokens first among equals.
    flipped = content_importance.flip(1)
    order = importance.shape[1] - 1 - flipped.argsort(dim=1, stable=True)
    rank = torch.empty_like(order)
    rank.scatter_(1, order, torch.arange(order.shape[1], device=order.device).expand_as(order))
    n_content = (~is_protected).sum(dim=1, keepdim=True)
    if kind is ThresholdKind.QUANTILE:
        position = threshold * (n_content - 1).clamp(min=0).double()
        n_pruned = (position - ROUNDING).ceil().long()
        return is_protected | (rank >= n_pruned)
    most_important = rank == n_content - 1
    return is_protected | most_important | (importance >= threshold / seq_len)


def remove_rows(rows: Tensor, keep: Tensor) -> Tensor:
    """Returns the rows that are kept, in order.

    Args:
        rows: Row numbers in the packed matrix, (n_rows,).
        keep: True = stays, (n_rows,) bool.
    """
    return rows[keep]
