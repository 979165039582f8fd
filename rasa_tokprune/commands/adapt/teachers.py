"""What a student is to answer: as its own encoder un-pruned, or as two encoders joined."""

from __future__ import annotations

from typing import Dict, Mapping, Optional, Sequence

import numpy as np
from scipy.linalg import eigh, orthogonal_procrustes

from rasa_tokprune.encoder import Encoder
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.embeddings import EmbeddingStore, embed_texts

_SMALLEST_NORM = 1e-12


def encode_targets(
    own: Encoder,
    other: Optional[Encoder],
    share: float,
    texts: Sequence[str],
    show_progress: bool,
) -> Dict[str, np.ndarray]:
    """Returns what the student is to answer to each text, (d,): `own`'s embedding, or both joined.

    Args:
        own: The student's encoder, un-pruned.
        other: A second teacher; None is none.
        share: See `join_teachers`.
        texts: To encode; embeddings are kept on disk.
        show_progress: Whether to show progress bars.
    """
    store = EmbeddingStore(stored_path("embeddings"))
    bars = ("Encoding by the teacher", "Encoding by the second teacher")
    first, second = bars if show_progress else (None, None)
    ours = embed_texts(own, texts, store, first)
    return join_teachers(ours, embed_texts(other, texts, store, second), share) if other else ours


def join_teachers(
    own: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray], share: float
) -> Dict[str, np.ndarray]:
    """Returns one target for each text, (d,), of unit length.

    The scalar product of two concatenated embeddings is the weighted mean of both encoders' own
    (an ensemble). The d directions in which they vary most keep nearly all of it, and the rotation
    that brings them nearest to the student's own embeddings leaves it as it is, so that the student
    has little to change: principal axes without centring, then Schönemann, "A generalized solution
    of the orthogonal Procrustes problem" (1966).

    Args:
        own: Embedding of each text by the student's un-pruned encoder, (d,).
        other: Of the same texts by the other encoder, (e,).
        share: Of the other encoder in the scalar products, in [0, 1].
    """
    texts = list(own)
    ours = _unit(np.stack([own[text] for text in texts]))
    theirs = _unit(np.stack([other[text] for text in texts]))
    joint = np.concatenate([np.sqrt(1 - share) * ours, np.sqrt(share) * theirs], axis=1)
    n_axes, size = ours.shape[1], joint.shape[1]
    _, axes = eigh(joint.T @ joint, subset_by_index=[size - n_axes, size - 1])
    reduced = joint @ axes
    rotation, _ = orthogonal_procrustes(reduced, ours)
    return dict(zip(texts, _unit(reduced @ rotation).astype(np.float32)))


def _unit(vectors: np.ndarray) -> np.ndarray:
    """Returns embeddings, (n, d), brought to unit length; some encoders leave them at any."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors.astype(np.float64) / np.maximum(norms, _SMALLEST_NORM)
