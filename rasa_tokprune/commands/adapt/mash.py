"""Messages that say nothing, drawn: keyboard mash, punctuation, fillers, digits.

An encoder is held to its own un-adapted embedding of them, so that an adapter does not bring them
near to some intent. `CONTENT_FREE_TEXTS`, what bots compare messages with, is another list.
"""

from __future__ import annotations

from typing import Callable, List

import numpy as np

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm", "qwertzuiop", "yxcvbnm", "azertyuiop")
_LETTERS, _CONSONANTS = "abcdefghijklmnopqrstuvwxyz", "bcdfghjklmnpqrstvwxz"
_SIGNS = "?!.,;:-_*#+=/\\$%&()'\""
_FILLERS = ("uh", "um", "hm", "mm", "er", "ah", "oh", "eh", "pff", "tsk", "huh", "ugh", "meh")
_MOST_WORDS = 4


def draw_mash(n_texts: int, seed: int) -> List[str]:
    """Returns `n_texts` such messages; equal ones may occur."""
    rng = np.random.default_rng((2, seed))
    return [_message(rng) for _ in range(n_texts)]


def _message(rng: np.random.Generator) -> str:
    draw = _KINDS[int(rng.integers(len(_KINDS)))]
    words = [draw(rng) for _ in range(1 + int(rng.geometric(0.6) - 1) % _MOST_WORDS)]
    text = " ".join(words)
    return text.upper() if rng.random() < 0.1 else text


def _letters(rng: np.random.Generator, letters: str, fewest: int, most: int) -> str:
    return "".join(rng.choice(list(letters), size=int(rng.integers(fewest, most + 1))))


def _run(rng: np.random.Generator) -> str:
    """Neighbours on a keyboard, there or back, perhaps again."""
    row = _ROWS[int(rng.integers(len(_ROWS)))]
    size = int(rng.integers(3, 7))
    start = int(rng.integers(len(row) - size + 1))
    run = row[start : start + size]
    return (run[::-1] if rng.random() < 0.5 else run) * int(rng.integers(1, 3))


def _hand(rng: np.random.Generator) -> str:
    """A hand that falls on one row of keys."""
    return _letters(rng, _ROWS[int(rng.integers(len(_ROWS)))], 3, 10)


def _repeated(rng: np.random.Generator) -> str:
    return _letters(rng, _LETTERS, 1, 2) * int(rng.integers(2, 7))


def _filler(rng: np.random.Generator) -> str:
    word = _FILLERS[int(rng.integers(len(_FILLERS)))]
    return word + word[-1] * int(rng.integers(0, 4))


_KINDS: List[Callable[[np.random.Generator], str]] = [
    _run,
    _hand,
    _repeated,
    _filler,
    lambda rng: _letters(rng, _CONSONANTS, 2, 8),
    lambda rng: _letters(rng, _LETTERS, 1, 12),
    lambda rng: _letters(rng, _SIGNS, 1, 5),
    lambda rng: _letters(rng, "0123456789", 1, 6),
]
