"""Token states to word rows: exactly one row per Rasa token, whatever was pruned or cut."""

from __future__ import annotations

import numpy as np


def align_to_words(states: np.ndarray, offsets: np.ndarray, word_spans: np.ndarray) -> np.ndarray:
    """Returns one vector per word: the mean of the states of its tokens.

    Args:
        states: Last state of every token, (n_tokens, hidden_size).
        offsets: Characters [start, end) of every token, (n_tokens, 2); an empty span
            (special tokens) belongs to no word.
        word_spans: Characters [start, end) of every word in the same text, (n_words, 2).

    Returns:
        (n_words, hidden_size) float32; zeros for a word that no token overlaps.
    """
    starts, ends = offsets[:, 0], offsets[:, 1]
    overlaps = (starts < word_spans[:, 1, None]) & (ends > word_spans[:, 0, None])
    overlaps &= ends > starts
    counts = overlaps.sum(axis=1, keepdims=True)
    weights = overlaps / np.maximum(counts, 1)
    return np.ascontiguousarray(weights.astype(np.float32) @ states, dtype=np.float32)
