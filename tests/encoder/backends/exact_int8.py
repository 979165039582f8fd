"""The 8-bit forward pass in plain numpy: the arithmetic that the C library is held to.

Every build of the library, on every CPU, gives these very bits. Matrix products are whole numbers.
In fp32, sums run over 16 lanes side by side, which are then folded in halves, and multiply-adds are
fused exactly where `fma` says so.
"""

from __future__ import annotations

from typing import Dict, List, Optional, Tuple

import numpy as np

from rasa_tokprune.encoder.backends.quantize import quantize_per_channel
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import Affine, EncoderWeights
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan, ThresholdKind

LANES = 16
F = np.float32
SMALLEST_PEAK = F(1e-30)
EXP = [0.00133335581, 0.00961812911, 0.0555041087, 0.240226507, 0.693147181, 1.0]
GELU = [
    3.51909803e-05, 0.498426348, -0.387479007, -0.0310562253, 0.105277762, -0.0215147119,
    -0.00912397448, 0.00483223377, -0.00081617065, 4.94487249e-05,
]  # fmt: skip


def fma(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """Returns a * b + c, rounded once: by way of fp64, to odd."""
    product = np.asarray(a, np.float64) * np.asarray(b, np.float64)
    added = np.asarray(c, np.float64)
    total = np.asarray(product + added)
    part = total - product
    error = (product - (total - part)) + (added - part)
    away = np.where((error < 0) == (total < 0), np.copysign(np.inf, total), -total)
    is_even = total.view(np.int64) % 2 == 0
    return np.where((error != 0) & is_even, np.nextafter(total, away), total).astype(F)


def fold(lanes: np.ndarray, pair: np.ufunc = np.add) -> np.ndarray:
    """(..., n) -> (...): lanes side by side, then in halves."""
    total = lanes[..., :LANES]
    for start in range(LANES, lanes.shape[-1], LANES):
        total = pair(total, lanes[..., start : start + LANES])
    for half in (8, 4, 2, 1):
        total = pair(total[..., :half], total[..., half : 2 * half])
    return total[..., 0]


def squares(x: np.ndarray) -> np.ndarray:
    total = np.zeros((*x.shape[:-1], LANES), F)
    for start in range(0, x.shape[-1], LANES):
        total = fma(x[..., start : start + LANES], x[..., start : start + LANES], total)
    return fold(total)


def exp(x: np.ndarray) -> np.ndarray:
    t = np.clip(x, F(-87), F(87)) * F(1.44269504)
    whole = np.rint(t)
    p = F(EXP[0])
    for factor in EXP[1:]:
        p = fma(p, t - whole, F(factor))
    return np.ldexp(p, whole.astype(int)).astype(F)


def gelu(x: np.ndarray) -> np.ndarray:
    t = np.minimum(np.abs(x), F(4))
    p = np.full_like(x, GELU[9])
    for factor in GELU[8::-1]:
        p = fma(p, t, F(factor))
    return np.maximum(x, F(0)) - p


ACTIVATIONS = {
    **dict.fromkeys(("gelu", "gelu_new", "gelu_pytorch_tanh"), gelu),
    "tanh": lambda x: F(2) / (F(1) + exp(F(-2) * x)) - F(1),
    "relu": lambda x: np.maximum(x, F(0)),
    "silu": lambda x: x / (F(1) + exp(-x)),
}


def rint(x: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """The whole number next to x * factor."""
    half = F(12582912)
    return (fma(x, factor, half) - half).astype(np.int64)


def to_bytes(x: np.ndarray, axis: int = -1) -> Tuple[np.ndarray, np.ndarray]:
    """Whole numbers in [-127, 127] and their scales along an axis."""
    peak = np.abs(x).max(axis=axis, keepdims=True)
    with np.errstate(divide="ignore", over="ignore"):
        inverse = np.where(peak > SMALLEST_PEAK, F(127) / peak, F(0)).astype(F)
    return rint(x, inverse), peak / F(127)


def product(
    rows: np.ndarray, weight: np.ndarray, scale: np.ndarray, bias: np.ndarray
) -> np.ndarray:
    return fma((rows @ weight.T).astype(F), scale, bias)


def linear(x: np.ndarray, layer: Affine, factor: Optional[np.ndarray] = None) -> np.ndarray:
    """Returns x * weight + bias; each column times its `factor`, by way of its scale."""
    weight, scale = quantize_per_channel(layer.weight)
    factor = np.ones_like(scale) if factor is None else factor
    integers, row_scale = to_bytes(x)
    return product(
        integers, weight.astype(np.int64), scale * factor * row_scale, layer.bias.astype(F) * factor
    )


def norm(x: np.ndarray, layer: Affine, spec: EncoderSpec) -> np.ndarray:
    x = x - (fold(x) / F(x.shape[1]))[:, None]
    variance = squares(x) / F(x.shape[1]) + F(spec.layer_norm_eps)
    return fma(x * (F(1) / np.sqrt(variance))[:, None], layer.weight, layer.bias)


def padded(x: np.ndarray, filler: float) -> np.ndarray:
    """Columns up to a multiple of 16."""
    room = -x.shape[-1] % LANES
    return np.pad(x, [(0, 0)] * (x.ndim - 1) + [(0, room)], constant_values=F(filler))


def attend(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, bias: Optional[np.ndarray]
) -> Tuple[np.ndarray, np.ndarray]:
    """One head: context, (n_queries, d), and softmax's numerators times 1 / sum, padded."""
    (q_bytes, q_scale), (k_bytes, k_scale) = to_bytes(q), to_bytes(k)
    scores = product(q_bytes, k_bytes, q_scale * k_scale.T, F(0))
    if bias is not None:
        scores = scores + bias
    scores = padded(scores, -1e30)
    e = exp(scores - scores.max(axis=1, keepdims=True))
    upper, lower = np.divmod(rint(e, F(16383))[:, : len(k)], 128)
    unit = F(1) / (128 * upper + lower).sum(axis=1, keepdims=True).astype(F)
    peak = np.maximum(np.abs(v).max(axis=0), SMALLEST_PEAK)
    v_bytes, v_scale = rint(v, F(127) / peak), peak / F(127)
    context = product(upper, v_bytes.T, v_scale * (F(128) * unit), F(0))
    context = context + product(lower, v_bytes.T, v_scale * unit, F(0))
    return context, (e, F(1) / fold(e)[:, None])


def pool(states: np.ndarray, spec: EncoderSpec) -> np.ndarray:
    """Mean of the rows in their order, of unit length if the model asks so."""
    total = np.zeros(states.shape[1], F)
    for row in states:
        total = total + row
    mean = total / F(len(states))
    return mean / np.sqrt(squares(mean)) if spec.normalize else mean


def exact_int8(
    weights: EncoderWeights,
    spec: EncoderSpec,
    embeddings: np.ndarray,
    is_special: np.ndarray,
    bias: Optional[np.ndarray],
    plan: PruningPlan,
) -> Tuple[np.ndarray, List[int]]:
    """Returns the last states and the layer each token was pruned after."""
    n, hidden, heads = len(embeddings), spec.hidden_size, spec.n_heads
    d = hidden // heads
    factor = np.ones(3 * hidden, F)
    factor[:hidden] = F(d**-0.5)
    states = norm(embeddings, weights.embedding_norm, spec)
    pruned_after = np.full(n, -1)
    frozen: List[int] = []  # in the order in which they froze
    for index in plan.kept_layers:
        layer = weights.layers[index]
        active = np.flatnonzero(pruned_after < 0)
        visible = [*active, *frozen]
        # Rows have scales of their own, so one multiplication of all rows is the same.
        q, k, v = np.split(linear(states, layer.qkv, factor), 3, axis=1)
        received = np.zeros(-(-len(visible) // LANES) * LANES, F)
        context = np.empty((len(active), hidden), F)
        for head in range(heads):
            columns = slice(head * d, (head + 1) * d)
            of_head = None if bias is None else bias[head][active][:, visible]
            context[:, columns], (e, share) = attend(
                q[active, columns], k[visible, columns], v[visible, columns], of_head
            )
            of_one = np.zeros_like(received)
            for row in range(len(active)):
                of_one = fma(e[row], share[row], of_one)
            received = received + of_one
        x = norm(states[active] + linear(context, layer.attention_out), layer.attention_norm, spec)
        wide = ACTIVATIONS[spec.activation](linear(x, layer.feed_forward_in))
        states[active] = norm(x + linear(wide, layer.feed_forward_out), layer.output_norm, spec)
        if plan.thresholds[index] > 0 and n >= plan.min_tokens:
            importance = dict(zip(visible, received / F(heads * len(active))))
            content = [t for t in active if not is_special[t]]
            pruned = least_important(importance, content, plan, index, len(visible))
            pruned_after[pruned] = index
            if plan.mode is PruneMode.FREEZE:
                frozen.extend(pruned)
    return states, pruned_after.tolist()


def least_important(
    importance: Dict[int, np.float32],
    content: List[int],
    plan: PruningPlan,
    layer: int,
    n_visible: int,
) -> List[int]:
    """The tokens that a plan takes out, in the sentence's order. Of equals the earlier stays."""
    threshold = plan.thresholds[layer]
    order = sorted(content, key=lambda t: (importance[t], -t))
    if plan.kind is ThresholdKind.QUANTILE:
        count = max(0, int(np.ceil(threshold * (len(content) - 1) - 1e-9)))
    else:
        limit = F(threshold / n_visible)
        count = sum(importance[t] < limit for t in order[: max(0, len(content) - 1)])
    return sorted(order[:count])
