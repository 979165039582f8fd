"""Slips of the finger."""

from __future__ import annotations

from typing import List

import numpy as np

_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def slip(characters: List[str], rng: np.random.Generator) -> None:
    """Changes one letter of a text in place, as a finger might: left out, doubled, swapped."""
    place = int(rng.integers(len(characters)))
    letter = _LETTERS[int(rng.integers(len(_LETTERS)))]
    kind = rng.random()
    if kind < 0.35 and len(characters) > 1:
        del characters[place]
    elif kind < 0.6:
        characters.insert(place, letter)
    elif kind < 0.8 and place + 1 < len(characters):
        characters[place : place + 2] = characters[place : place + 2][::-1]
    else:
        characters[place] = letter
