"""Token states to one embedding per sentence, as the checkpoint's own files ask."""

from __future__ import annotations

from typing import Callable, Dict

import torch
import torch.nn.functional as F
from torch import Tensor

from rasa_tokprune.encoder.spec import EncoderSpec
from rasa_tokprune.encoder.weights import EncoderWeights

_DENSE_ACTIVATIONS: Dict[str, Callable[[Tensor], Tensor]] = {
    "Identity": lambda x: x,
    "Tanh": torch.tanh,
    "ReLU": F.relu,
    "GELU": F.gelu,
    "Sigmoid": torch.sigmoid,
    "SiLU": F.silu,
}


def pool(
    states: Tensor,
    lengths: Tensor,
    is_pooled: Tensor,
    spec: EncoderSpec,
    weights: EncoderWeights,
) -> Tensor:
    """Returns sentence embeddings, (n_sentences, embedding_size).

    Args:
        states: Last state of every token, sentences end to end, (n_rows, hidden_size).
        lengths: Tokens of each sentence, (n_sentences,).
        is_pooled: Tokens that take part (not dropped, not an excluded prompt), (n_rows,).
        spec: Says how to pool.
        weights: Holds the dense layers after pooling, if any.
    """
    sentence_of_row = torch.repeat_interleave(lengths)
    pooled = [_POOLERS[mode](states, lengths, is_pooled, sentence_of_row) for mode in spec.pooling]
    embeddings = torch.cat(pooled, dim=1)
    for dense, layer in zip(spec.dense, weights.dense):
        embeddings = F.linear(embeddings, layer.weight, layer.bias)
        embeddings = _DENSE_ACTIVATIONS[dense.activation](embeddings)
    return F.normalize(embeddings, dim=1) if spec.normalize else embeddings


def _pool_first(states: Tensor, lengths: Tensor, is_pooled: Tensor, sentence: Tensor) -> Tensor:
    n_rows = len(states)
    order = torch.arange(n_rows, device=states.device)
    order = torch.where(is_pooled, order, torch.full_like(order, n_rows))
    first = torch.full_like(lengths, n_rows).scatter_reduce(0, sentence, order, reduce="amin")
    return states[first.clamp(max=n_rows - 1)]


def _pool_max(states: Tensor, lengths: Tensor, is_pooled: Tensor, sentence: Tensor) -> Tensor:
    lowest = states.new_full((len(lengths), states.shape[1]), float("-inf"))
    rows, index = states[is_pooled], sentence[is_pooled, None].expand(-1, states.shape[1])
    return lowest.scatter_reduce(0, index, rows, reduce="amax")


def _pool_sum(states: Tensor, lengths: Tensor, is_pooled: Tensor, sentence: Tensor) -> Tensor:
    total = states.new_zeros(len(lengths), states.shape[1])
    return total.index_add(0, sentence[is_pooled], states[is_pooled])


def _count(lengths: Tensor, is_pooled: Tensor, sentence: Tensor) -> Tensor:
    return torch.bincount(sentence[is_pooled], minlength=len(lengths)).clamp(min=1)[:, None]


def _pool_mean(states: Tensor, lengths: Tensor, is_pooled: Tensor, sentence: Tensor) -> Tensor:
    total = _pool_sum(states, lengths, is_pooled, sentence)
    return total / _count(lengths, is_pooled, sentence)


def _pool_mean_sqrt(states: Tensor, lengths: Tensor, is_pooled: Tensor, sentence: Tensor) -> Tensor:
    total = _pool_sum(states, lengths, is_pooled, sentence)
    return total / _count(lengths, is_pooled, sentence).sqrt()


_POOLERS: Dict[str, Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]] = {
    "cls": _pool_first,
    "max": _pool_max,
    "mean": _pool_mean,
    "mean_sqrt_len": _pool_mean_sqrt,
}
