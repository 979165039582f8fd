"""The same message, typed or phrased otherwise: what the robustness card asks."""

from __future__ import annotations

import re
import zlib
from typing import Callable, Dict, List

import numpy as np

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.disturb import slip

_N_SLIPS = 2
_PUNCTUATION = re.compile(r"[^\w\s']|_")


def changes(polite: str) -> Dict[str, Callable[[str], str]]:
    """Returns, by name, what makes another text of a message; it may leave it as it is.

    Args:
        polite: What politeness puts around a message, {}.

    Raises:
        ConfigError: If there is no {} in it.
    """
    if "{}" not in polite:
        raise ConfigError(
            f"--polite must hold {{}}, where the message goes, got '{polite}'; for example "
            f"'Guten Tag! {{}} Vielen Dank'"
        )
    return {
        "typing slips": _with_slips,
        "lower case": str.lower,
        "upper case": str.upper,
        "no punctuation": _bare,
        "politeness": lambda text: polite.replace("{}", text),
    }


def _with_slips(text: str) -> str:
    """Returns a text with two slips of the finger, always the same ones."""
    rng = np.random.default_rng(zlib.crc32(text.encode("utf-8", "surrogatepass")))
    characters: List[str] = list(text)
    for _ in range(min(_N_SLIPS, len(characters))):
        slip(characters, rng)
    slipped = "".join(characters)
    return slipped if slipped.strip() else text


def _bare(text: str) -> str:
    bare = " ".join(_PUNCTUATION.sub(" ", text).split())
    return bare if bare else text
