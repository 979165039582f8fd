"""The 8-bit forward pass of one sentence in plain numpy, as the C library should compute it."""

from __future__ import annotations

from typing import List, Optional, Tuple

import numpy as np

from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import Affine, EncoderWeights
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan, ThresholdKind


def linear(x: np.ndarray, layer: Affine) -> np.ndarray:
    columns = np.abs(layer.weight).max(axis=1) / 127
    rows = np.abs(x).max(axis=1) / 127
    weight = np.rint(layer.weight / columns[:, None])
    integers = np.rint(x / np.where(rows > 0, rows, 1)[:, None])
    return (integers @ weight.T) * rows[:, None] * columns + layer.bias


def norm(x: np.ndarray, layer: Affine, spec: EncoderSpec) -> np.ndarray:
    x = x - x.mean(axis=1, keepdims=True)
    x = x / np.sqrt((x**2).mean(axis=1, keepdims=True) + spec.layer_norm_eps)
    return x * layer.weight + layer.bias


def gelu(x: np.ndarray) -> np.ndarray:
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def slow_int8(
    weights: EncoderWeights,
    spec: EncoderSpec,
    embeddings: np.ndarray,
    is_special: np.ndarray,
    bias: Optional[np.ndarray],
    plan: PruningPlan,
) -> Tuple[np.ndarray, List[int]]:
    """Returns the last states and the layer each token was pruned after."""
    n, hidden, heads = len(embeddings), spec.hidden_size, spec.n_heads
    states = norm(embeddings.astype(np.float64), weights.embedding_norm, spec)
    pruned_after = np.full(n, -1)
    for index in plan.kept_layers:
        layer = weights.layers[index]
        active = np.flatnonzero(pruned_after < 0)
        visible = np.arange(n) if plan.mode is PruneMode.FREEZE else active
        # Rows have scales of their own, so one multiplication of all rows is the same.
        qkv = linear(states, layer.qkv).reshape(n, 3, heads, hidden // heads)
        q, k, v = (qkv[:, part].transpose(1, 0, 2) for part in range(3))
        scores = q[:, active] @ k[:, visible].transpose(0, 2, 1) / np.sqrt(hidden // heads)
        if bias is not None:
            scores = scores + bias[:, active][:, :, visible]
        e = np.exp(scores - scores.max(axis=2, keepdims=True))
        probabilities = e / e.sum(axis=2, keepdims=True)
        context = (probabilities @ v[:, visible]).transpose(1, 0, 2).reshape(len(active), hidden)
        x = norm(linear(context, layer.attention_out) + states[active], layer.attention_norm, spec)
        wide = gelu(linear(x, layer.feed_forward_in))
        states[active] = norm(linear(wide, layer.feed_forward_out) + x, layer.output_norm, spec)
        threshold = plan.thresholds[index]
        content = [t for t in active if not is_special[t]]
        if threshold > 0 and n >= plan.min_tokens and content:
            received = dict(zip(visible, probabilities.mean(axis=(0, 1))))
            limit = threshold / len(visible)
            if plan.kind is ThresholdKind.QUANTILE:
                limit = np.quantile([received[t] for t in content], threshold)
            best = max(content, key=lambda t: received[t])
            for t in content:
                if received[t] < limit - 1e-9 and t != best:
                    pruned_after[t] = index
    return states, pruned_after.tolist()
