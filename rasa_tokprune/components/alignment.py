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
    rows = np.zeros((len(word_spans), states.shape[1]), dtype=np.float32)
    # Words behind the cut of a long text have no tokens; leave them out of the matrix.
    is_read = word_spans[:, 0] < ends.max(initial=0)
    spans = word_spans[is_read]
    overlaps = (starts < spans[:, 1, None]) & (ends > spans[:, 0, None]) & (ends > starts)
    counts = overlaps.sum(axis=1, keepdims=True)
    weights = overlaps.astype(np.float32) / np.maximum(counts, 1).astype(np.float32)
    rows[is_read] = weights @ states
    return rows
