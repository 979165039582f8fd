"""Attention among sentences of one shape: rectangular batches cut from the packed rows."""

from __future__ import annotations

import dataclasses
import math
from typing import Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rasa_tokprune.encoder.backends.relative_bias import relative_bucket
from rasa_tokprune.encoder.backends.torch.pruning import token_importance


@dataclasses.dataclass(frozen=True)
class Group:
    """Sentences with the same number of queries and of keys.

    Attributes:
        queries: Rows among the active rows, (batch_size, n_queries).
        keys: Rows among the visible rows, (batch_size, n_keys).
        query_positions: Place of each query in its own sentence, (batch_size, n_queries).
        may_prune: False for sentences shorter than the plan's min_tokens.
        is_whole: True if the group is the whole batch in order: rows need no gathering.
        bias: Added to the scores, broadcastable to (batch_size, n_heads, n_queries,
            n_keys); None adds nothing.
    """

    queries: Tensor
    keys: Tensor
    query_positions: Tensor
    may_prune: bool
    is_whole: bool
    bias: Optional[Tensor] = None


def group_by_shape(
    n_queries: Tensor,
    n_keys: Tensor,
    query_positions: Tensor,
    key_positions: Tensor,
    may_prune: Tensor,
    bias_table: Optional[Tensor] = None,
) -> List[Group]:
    """Groups sentences that can attend as one rectangular batch.

    Args:
        n_queries: Active tokens of each sentence, (n_sentences,).
        n_keys: Visible tokens of each sentence, (n_sentences,).
        query_positions: Place in the sentence of every active row, (n_active,).
        key_positions: Place in the sentence of every visible row, (n_visible,).
        may_prune: Whether the plan may prune the sentence, (n_sentences,) bool.
        bias_table: (n_buckets, n_heads) of MPNet, or None.
    """
    device = n_queries.device
    query_starts = n_queries.cumsum(0) - n_queries
    key_starts = n_keys.cumsum(0) - n_keys
    members: Dict[Tuple[int, int, bool], List[int]] = {}
    shapes = zip(n_queries.tolist(), n_keys.tolist(), may_prune.tolist())
    for sentence, shape in enumerate(shapes):
        members.setdefault(shape, []).append(sentence)
    groups = []
    for (count_q, count_k, prunes), sentences in members.items():
        chosen = torch.tensor(sentences, device=device)
        queries = query_starts[chosen, None] + torch.arange(count_q, device=device)
        keys = key_starts[chosen, None] + torch.arange(count_k, device=device)
        places = query_positions[queries]
        bias = None
        if bias_table is not None:
            bias = relative_bias(bias_table, places, key_positions[keys])
        groups.append(Group(queries, keys, places, prunes, len(members) == 1, bias))
    return groups


def attend(
    q: Tensor, k: Tensor, v: Tensor, groups: List[Group], n_heads: int, with_importance: bool
) -> Tuple[Tensor, List[Optional[Tensor]]]:
    """Runs multi-head attention inside every sentence.

    Args:
        q: Queries of the active rows, (n_active, hidden_size).
        k: Keys of the visible rows, (n_visible, hidden_size).
        v: Values of the visible rows, (n_visible, hidden_size).
        groups: From `group_by_shape`, covering all rows.
        n_heads: Attention heads.
        with_importance: Also score the keys, in groups that may be pruned.

    Returns:
        The context, (n_active, hidden_size), and for each group the importance of its keys,
        (batch_size, n_keys), or None where it was not asked for.
    """
    context = torch.empty_like(q)
    importance: List[Optional[Tensor]] = []
    for group in groups:
        group_q = _split_heads(q, group.queries, n_heads, group.is_whole)
        group_k = _split_heads(k, group.keys, n_heads, group.is_whole)
        group_v = _split_heads(v, group.keys, n_heads, group.is_whole)
        if with_importance and group.may_prune:
            mixed, probabilities = _explicit_attention(group_q, group_k, group_v, group.bias)
            importance.append(token_importance(probabilities))
        else:
            mixed = F.scaled_dot_product_attention(group_q, group_k, group_v, attn_mask=group.bias)
            importance.append(None)
        rows = mixed.transpose(1, 2).reshape(-1, q.shape[1])  # (b * n_queries, hidden)
        if group.is_whole:
            return rows, importance
        context[group.queries.flatten()] = rows
    return context, importance


def _split_heads(rows: Tensor, index: Tensor, n_heads: int, is_whole: bool) -> Tensor:
    batch_size, n_tokens = index.shape
    batch = rows if is_whole else rows[index.flatten()]
    return batch.reshape(batch_size, n_tokens, n_heads, -1).transpose(1, 2)  # (b, heads, n, d)


def _explicit_attention(
    q: Tensor, k: Tensor, v: Tensor, bias: Optional[Tensor]
) -> Tuple[Tensor, Tensor]:
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if bias is not None:
        scores = scores + bias
    probabilities = scores.softmax(dim=3)  # (b, heads, n_queries, n_keys)
    return probabilities @ v, probabilities


def relative_bias(table: Tensor, query_places: Tensor, key_places: Tensor) -> Tensor:
    """Looks up MPNet's bias for every query-key distance, (batch_size or 1, n_heads, n_q, n_k).

    Args:
        table: (n_buckets, n_heads).
        query_places: Place of each query in its own sentence, (batch_size, n_q).
        key_places: Of each key, (batch_size, n_k).
    """
    if bool((query_places == query_places[:1]).all() and (key_places == key_places[:1]).all()):
        query_places, key_places = query_places[:1], key_places[:1]  # one bias serves all
    distance = key_places[:, None, :] - query_places[:, :, None]
    buckets = torch.from_numpy(relative_bucket(distance.cpu().numpy(), table.shape[0]))
    # SDPA wants a contiguous mask.
    return table[buckets.to(table.device)].permute(0, 3, 1, 2).contiguous()
