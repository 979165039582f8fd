"""The forward pass over sentences padded to one length, for training on a GPU.

It does more arithmetic than `forward`: pruned tokens and padding are computed and thrown away. But
nothing it does next depends on what it computed, so the host never waits for the device.
"""

from __future__ import annotations

import math
from typing import Callable, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rasa_tokprune.encoder.backends.batch import NEVER_PRUNED
from rasa_tokprune.encoder.backends.torch.attention import relative_bias
from rasa_tokprune.encoder.backends.torch.forward import embed, finish_layer, freezes
from rasa_tokprune.encoder.backends.torch.pruning import select_kept
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import EncoderWeights, LayerWeights
from rasa_tokprune.encoder.plans.plan import PruningPlan


def padded_forward(
    weights: EncoderWeights,
    spec: EncoderSpec,
    plan: PruningPlan,
    *,
    ids: Tensor,
    position_ids: Tensor,
    is_protected: Tensor,
    lengths: Tensor,
    reorder: Optional[Callable[[Tensor], Tensor]] = None,
) -> Tuple[Tensor, Tensor]:
    """Runs the encoder over packed sentences; arguments and results are those of `forward`.

    But `lengths`, (n_sentences,), lie on the CPU, whatever the device of the others is.
    """
    device, size = ids.device, int(lengths.max())
    places = torch.arange(size)[None, :] < lengths[:, None]
    rows = places.flatten().nonzero()[:, 0].to(device, non_blocking=True)  # of packed ones, padded
    is_real = places.to(device, non_blocking=True)
    shape = tuple(is_real.shape)  # (n_sentences, size)

    def pad(packed: Tensor) -> Tensor:
        return packed.new_zeros(is_real.numel()).index_copy(0, rows, packed).view(shape)

    # A token that must not be pruned, or that is none.
    is_fixed = pad(is_protected) | ~is_real
    is_fixed |= (lengths < plan.min_tokens).to(device)[:, None]
    is_active = is_real
    pruned_after = torch.full(shape, NEVER_PRUNED, device=device)
    states = embed(weights, spec, pad(ids), pad(position_ids))
    table, at = weights.embeddings.relative_bias, torch.arange(size, device=device)[None]
    bias = None if table is None else relative_bias(table, at, at)
    for index in plan.kept_layers or ():
        layer, threshold = weights.layers[index], plan.thresholds[index]
        visible = is_real if freezes(plan) else is_active
        context, received = _attend(layer, spec, states, is_active, visible, bias, threshold > 0)
        updated = finish_layer(layer, spec, states, context)
        states = torch.where(is_active[:, :, None], updated, states)
        if received is None:
            continue
        keep = select_kept(
            received if reorder is None else reorder(received),
            is_fixed | ~is_active,
            threshold,
            kind=plan.kind,
            seq_len=visible.sum(dim=1, keepdim=True),
        )
        pruned_after = torch.where(is_active & ~keep, index, pruned_after)
        is_active = is_active & keep
    return states.flatten(0, 1)[rows], pruned_after.flatten()[rows]


def _attend(
    layer: LayerWeights,
    spec: EncoderSpec,
    states: Tensor,
    is_active: Tensor,
    is_visible: Tensor,
    bias: Optional[Tensor],
    with_importance: bool,
) -> Tuple[Tensor, Optional[Tensor]]:
    """Returns the context of every token, and what attention each receives of the active ones.

    Args:
        layer: Its weights.
        spec: The encoder's specification.
        states: (n_sentences, size, hidden_size).
        is_active: Tokens that ask, (n_sentences, size) bool.
        is_visible: Tokens that are seen, (n_sentences, size) bool.
        bias: Added to the scores, (1, n_heads, size, size); None adds nothing.
        with_importance: Whether the second result is wanted.

    Returns:
        (n_sentences, size, hidden_size); (n_sentences, size), or None.
    """
    n_sentences, size, hidden = states.shape
    qkv = F.linear(states, layer.qkv.weight, layer.qkv.bias)
    parts = qkv.view(n_sentences, size, 3, spec.n_heads, -1).permute(2, 0, 3, 1, 4)
    q, k, v = parts.unbind(0)  # (n_sentences, n_heads, size, d)
    seen = is_visible[:, None, None, :]
    if not with_importance:
        mask = seen
        if bias is not None:
            mask = bias.to(q.dtype).masked_fill(~seen, -torch.inf)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        return mixed.transpose(1, 2).reshape(n_sentences, size, hidden), None
    scores = q @ k.transpose(2, 3) / math.sqrt(q.shape[3])
    if bias is not None:
        scores = scores + bias
    probabilities = scores.masked_fill(~seen, -torch.inf).softmax(dim=3)
    context = (probabilities.to(v.dtype) @ v).transpose(1, 2).reshape(n_sentences, size, hidden)
    asking = is_active / is_active.sum(dim=1, keepdim=True)
    received = (probabilities.detach().mean(dim=1) * asking[:, :, None]).sum(dim=1)
    return context, received
