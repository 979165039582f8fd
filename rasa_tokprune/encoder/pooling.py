"""Token states to one embedding per sentence, as the checkpoint's own files ask."""

from __future__ import annotations

import dataclasses
from typing import Any, Callable, Dict, Optional, Sequence

import numpy as np
from scipy.special import erf, expit

from rasa_tokprune.encoder.backends.batch import NEVER_PRUNED, join
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import Affine
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan
from rasa_tokprune.encoder.tokens import Tokens

SMALLEST_NORM = 1e-12  # as torch.nn.functional.normalize

_DENSE_ACTIVATIONS: Dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Identity": lambda x: x,
    "Tanh": np.tanh,
    "ReLU": lambda x: np.maximum(x, 0),
    "GELU": lambda x: x * 0.5 * (1 + erf(x / np.sqrt(2))),
    "Sigmoid": expit,
    "SiLU": lambda x: x * expit(x),
}


@dataclasses.dataclass(frozen=True)
class ArrayOperations:
    """What pooling asks of an array library: training pools torch's tensors, the rest numpy's.

    Attributes:
        sums: States, (n_rows, d), and rows of each sentence, (n_sentences,) -> (n_sentences, d).
        maxima: The same, the largest of each column.
        column: Numbers, (n_sentences,) -> the library's (n_sentences, 1), in single precision.
        concatenate: Arrays of equal height -> one, side by side.
        normalize: Rows -> rows of unit length.
    """

    sums: Callable[[Any, np.ndarray], Any]
    maxima: Callable[[Any, np.ndarray], Any]
    column: Callable[[np.ndarray], Any]
    concatenate: Callable[[Sequence[Any]], Any]
    normalize: Callable[[Any], Any]


def pooled_rows(
    sentences: Sequence[Tokens], pruned_after: np.ndarray, plan: PruningPlan, spec: EncoderSpec
) -> Optional[np.ndarray]:
    """Returns which tokens take part in pooling, (n_rows,) bool; None if all do.

    Args:
        sentences: Tokens of each sentence.
        pruned_after: Of every token, see `ForwardResult`, (n_rows,).
        plan: The plan that was active.
        spec: Says whether a prompt takes part.
    """
    is_pooled = None
    if plan.mode is PruneMode.DROP and plan.pruned_layers:
        is_pooled = pruned_after == NEVER_PRUNED
    if not spec.include_prompt and any(tokens.n_prompt for tokens in sentences):
        outside = join([np.arange(len(tokens)) >= tokens.n_prompt for tokens in sentences])
        is_pooled = outside if is_pooled is None else is_pooled & outside
    return is_pooled


def count_pooled(lengths: np.ndarray, is_pooled: np.ndarray) -> np.ndarray:
    """Returns how many tokens of each sentence take part, (n_sentences,); see `pooled_rows`."""
    return np.add.reduceat(is_pooled, np.cumsum(lengths) - lengths, dtype=np.int64)


def _sums(states: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    # Not reduceat: it is slower, and a sentence alone would differ in the last bit.
    ends = np.cumsum(lengths)
    return np.stack([states[end - n : end].sum(axis=0) for end, n in zip(ends, lengths)])


def _normalize(embeddings: np.ndarray) -> np.ndarray:
    norm = np.sqrt(np.einsum("ij,ij->i", embeddings, embeddings))
    return embeddings / np.maximum(norm, np.float32(SMALLEST_NORM))[:, None]


NUMPY = ArrayOperations(
    sums=_sums,
    maxima=lambda states, lengths: np.maximum.reduceat(states, np.cumsum(lengths) - lengths),
    column=lambda numbers: numbers[:, None].astype(np.float32),
    concatenate=lambda arrays: np.concatenate(arrays, axis=1),
    normalize=_normalize,
)

_POOLERS: Dict[str, Callable[[Any, np.ndarray, ArrayOperations], Any]] = {
    "cls": lambda states, lengths, do: states[np.cumsum(lengths) - lengths],
    "max": lambda states, lengths, do: do.maxima(states, lengths),
    "mean": lambda states, lengths, do: do.sums(states, lengths) / do.column(lengths),
    "mean_sqrt_len": lambda states, lengths, do: (
        do.sums(states, lengths) / do.column(lengths) ** 0.5
    ),
}


def pool(
    states: Any,
    lengths: np.ndarray,
    spec: EncoderSpec,
    dense: Sequence[Affine],
    do: ArrayOperations = NUMPY,
) -> Any:
    """Returns sentence embeddings, (n_sentences, embedding_size).

    Args:
        states: Last states of the tokens that take part, sentences end to end,
            (n_rows, hidden_size).
        lengths: Such tokens of each sentence, at least 1, (n_sentences,).
        spec: Says how to pool.
        dense: Weights of the dense layers after pooling, if any; numpy's only.
        do: The array library of `states`.
    """
    pooled = [_POOLERS[mode](states, lengths, do) for mode in spec.pooling]
    embeddings = pooled[0] if len(pooled) == 1 else do.concatenate(pooled)
    for settings, layer in zip(spec.dense, dense):
        embeddings = embeddings @ layer.weight.T + layer.bias
        embeddings = _DENSE_ACTIVATIONS[settings.activation](embeddings)
    return do.normalize(embeddings) if spec.normalize else embeddings
