"""Texts as somebody in a hurry types them: lower case, no punctuation, slips of the finger."""

from __future__ import annotations

import re
import zlib
from typing import List

import numpy as np

# Chance that a text is typed in lower case, without punctuation, with slips of the finger.
_LOWER, _BARE, _SLIPS = 0.3, 0.4, 0.4
_LARGEST_SHARE_OF_SLIPS = 0.06
_PUNCTUATION = re.compile(r"[^\w\s']")
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


def with_slips(text: str, n_slips: int, rng: np.random.Generator) -> str:
    """Returns a text with some slips of the finger; never blank unless it was."""
    characters = list(text)
    for _ in range(n_slips if characters else 0):
        slip(characters, rng)
    slipped = "".join(characters)
    return slipped if slipped.strip() else text


def with_own_slips(text: str, n_slips: int) -> str:
    """Returns a text with some slips of the finger, always the same ones; see `with_slips`."""
    seed = zlib.crc32(text.encode("utf-8", "surrogatepass"))
    return with_slips(text, n_slips, np.random.default_rng(seed))


def disturb(text: str, rng: np.random.Generator) -> str:
    """Returns a text as somebody in a hurry might type it; never blank unless it was."""
    if rng.random() < _LOWER:
        text = text.lower()
    if rng.random() < _BARE:
        bare = _PUNCTUATION.sub("", text)
        text = bare if bare.strip() else text
    if rng.random() < _SLIPS and len(text) > 1:
        n_slips = max(1, int(len(text) * rng.random() * _LARGEST_SHARE_OF_SLIPS))
        text = with_slips(text, n_slips, rng)
    return text
