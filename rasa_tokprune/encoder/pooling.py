"""Token states to one embedding per sentence, as the checkpoint's own files ask."""

from __future__ import annotations

from typing import Callable, Dict, Sequence

import numpy as np
from scipy.special import erf, expit

from rasa_tokprune.encoder.spec import EncoderSpec
from rasa_tokprune.encoder.weights import Affine

_SMALLEST_NORM = np.float32(1e-12)  # as torch.nn.functional.normalize

_DENSE_ACTIVATIONS: Dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Identity": lambda x: x,
    "Tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0),
    "GELU": lambda x: x * 0.5 * (1 + erf(x / np.sqrt(2))),
    "Sigmoid": expit,
    "SiLU": lambda x: x * expit(x),
}


def pool(
    states: np.ndarray,
    lengths: np.ndarray,
    spec: EncoderSpec,
    dense: Sequence[Affine],
) -> np.ndarray:
    """Returns sentence embeddings, (n_sentences, embedding_size) float32.

    Args:
        states: Last states of the tokens that take part, sentences end to end,
            (n_rows, hidden_size).
        lengths: Such tokens of each sentence, at least 1, (n_sentences,).
        spec: Says how to pool.
        dense: Weights of the dense layers after pooling, if any.
    """
    starts = np.cumsum(lengths) - lengths
    pooled = [_POOLERS[mode](states, starts, lengths[:, None]) for mode in spec.pooling]
    embeddings = pooled[0] if len(pooled) == 1 else np.concatenate(pooled, axis=1)
    for settings, layer in zip(spec.dense, dense):
        embeddings = embeddings @ layer.weight.T + layer.bias
        embeddings = _DENSE_ACTIVATIONS[settings.activation](embeddings)
    if spec.normalize:
        norm = np.sqrt(np.einsum("ij,ij->i", embeddings, embeddings))
        embeddings = embeddings / np.maximum(norm, _SMALLEST_NORM)[:, None]
    return embeddings.astype(np.float32, copy=False)


def _sum(states: np.ndarray, starts: np.ndarray) -> np.ndarray:
    # Not reduceat: it is slower, and a sentence alone would differ in the last bit.
    ends = [*starts[1:], len(states)]
    return np.stack([states[start:end].sum(axis=0) for start, end in zip(starts, ends)])


_POOLERS: Dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]] = {
    "cls": lambda states, starts, lengths: states[starts],
    "max": lambda states, starts, lengths: np.maximum.reduceat(states, starts, axis=0),
    "mean": lambda states, starts, lengths: _sum(states, starts) / lengths.astype(np.float32),
    "mean_sqrt_len": lambda states, starts, lengths: (
        _sum(states, starts) / np.sqrt(lengths.astype(np.float32))
    ),
}
