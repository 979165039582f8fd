"""The packed forward pass: sentences end to end in one matrix, pruned rows really gone."""

from __future__ import annotations

from typing import Callable, Dict, List, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor

from rasa_tokprune.encoder.backends.batch import NEVER_PRUNED
from rasa_tokprune.encoder.backends.torch.attention import Group, attend, group_by_shape
from rasa_tokprune.encoder.backends.torch.pruning import remove_rows, select_kept
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import Affine, EncoderWeights, LayerWeights
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan

ACTIVATIONS: Dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": F.gelu,
    "gelu_new": lambda x: F.gelu(x, approximate="tanh"),
    "gelu_pytorch_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "relu": F.relu,
    "silu": F.silu,
    "tanh": torch.tanh,
}


def forward(
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
    """Runs the encoder over packed sentences with the plan active.

    A sentence's result does not depend on its neighbours: rows only share matrix products,
    and attention stays inside a sentence.

    Args:
        weights: The encoder's weights as tensors.
        spec: The encoder's specification.
        plan: Which tokens stop after which layer; the identity plan is the original model.
        ids: Token ids of packed sentences, (n_rows,).
        position_ids: Rows of the position embedding, (n_rows,).
        is_protected: Tokens that are never pruned, (n_rows,) bool.
        lengths: Tokens of each sentence, 1 to spec.max_seq_length, (n_sentences,).
        reorder: Puts something else in the place of the importance, (batch_size, n_tokens): the
            controls of a search. None prunes by attention.

    Returns:
        Last state of every token, (n_rows, hidden_size), and the layer after which each token
        was pruned, NEVER_PRUNED if kept, (n_rows,).
    """
    device = ids.device
    n_rows = len(ids)
    sentence_of_row = torch.repeat_interleave(lengths)
    place = torch.arange(n_rows, device=device) - (lengths.cumsum(0) - lengths)[sentence_of_row]
    may_prune = lengths >= plan.min_tokens
    any_may_prune = bool(may_prune.any())
    pruned_after = torch.full((n_rows,), NEVER_PRUNED, device=device)

    states = embed(weights, spec, ids, position_ids)
    active: Optional[Tensor] = None  # rows that are still updated; None = all of them
    bias = weights.embeddings.relative_bias
    groups = group_by_shape(lengths, lengths, place, place, may_prune, bias)
    for index in plan.kept_layers or ():
        layer = weights.layers[index]
        prunes = plan.thresholds[index] > 0 and any_may_prune
        frozen = pruned_after >= 0 if active is not None and freezes(plan) else None
        x = states if active is None else states[active]
        q, k, v = _project(layer.qkv, x, states, active, frozen)
        context, importance = attend(q, k, v, groups, spec.n_heads, with_importance=prunes)
        x = finish_layer(layer, spec, x, context)
        states = x if active is None else states.index_copy(0, active, x)
        if prunes:
            rows = torch.arange(n_rows, device=device) if active is None else active
            if reorder is not None:
                importance = [None if each is None else reorder(each) for each in importance]
            keep = _keep_mask(groups, importance, is_protected[rows], index, plan)
            if bool(keep.all()):
                continue
            pruned_after[rows[~keep]] = index
            active = remove_rows(rows, keep)
            n_active = torch.bincount(sentence_of_row[active], minlength=len(lengths))
            visible = (lengths, place) if freezes(plan) else (n_active, place[active])
            groups = group_by_shape(
                n_active, visible[0], place[active], visible[1], may_prune, bias
            )
    return states, pruned_after


def freezes(plan: PruningPlan) -> bool:
    """Returns whether pruned tokens stay visible to the others."""
    return plan.mode is PruneMode.FREEZE


def embed(weights: EncoderWeights, spec: EncoderSpec, ids: Tensor, position_ids: Tensor) -> Tensor:
    """Returns the first hidden states, (..., hidden_size), of ids and positions, (...,)."""
    tables = weights.embeddings
    states = tables.words[ids]
    if tables.token_type is not None:
        states = states + tables.token_type
    states = states + tables.positions[position_ids]
    return _norm(states, weights.embedding_norm, spec)


def _project(
    qkv: Affine, x: Tensor, states: Tensor, active: Optional[Tensor], frozen: Optional[Tensor]
) -> Tuple[Tensor, Tensor, Tensor]:
    """Returns queries of the active rows, keys and values of the visible rows."""
    q, k, v = F.linear(x, qkv.weight, qkv.bias).chunk(3, dim=1)
    if frozen is None or active is None:
        return q, k, v
    hidden = x.shape[1]
    frozen_kv = F.linear(states[frozen], qkv.weight[hidden:], qkv.bias[hidden:])
    kv = k.new_empty(len(states), 2 * hidden)
    kv[active] = torch.cat((k, v), dim=1)
    kv[frozen] = frozen_kv
    return q, kv[:, :hidden], kv[:, hidden:]


def finish_layer(layer: LayerWeights, spec: EncoderSpec, x: Tensor, context: Tensor) -> Tensor:
    """Returns the states after a layer, (..., hidden_size), from those before and the context."""
    attended = F.linear(context, layer.attention_out.weight, layer.attention_out.bias)
    x = _norm(attended + x, layer.attention_norm, spec)
    wide = F.linear(x, layer.feed_forward_in.weight, layer.feed_forward_in.bias)
    wide = ACTIVATIONS[spec.activation](wide)
    narrow = F.linear(wide, layer.feed_forward_out.weight, layer.feed_forward_out.bias)
    return _norm(narrow + x, layer.output_norm, spec)


def _norm(x: Tensor, norm: Affine, spec: EncoderSpec) -> Tensor:
    return F.layer_norm(x, (spec.hidden_size,), norm.weight, norm.bias, spec.layer_norm_eps)


def _keep_mask(
    groups: List[Group],
    importance: List[Optional[Tensor]],
    is_protected: Tensor,
    layer: int,
    plan: PruningPlan,
) -> Tensor:
    """Returns which active rows stay active after `layer`, (n_active,) bool."""
    keep = torch.ones_like(is_protected)
    for group, received in zip(groups, importance):
        if received is None:
            continue
        if freezes(plan):  # frozen tokens receive attention too, but are not judged again
            received_by_active = received.gather(1, group.query_positions)
        else:
            received_by_active = received
        keep[group.queries] = select_kept(
            received_by_active,
            is_protected[group.queries],
            plan.thresholds[layer],
            kind=plan.kind,
            seq_len=received.shape[1],
        )
    return keep
