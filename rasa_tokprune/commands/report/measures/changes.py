"""The same message, typed or phrased otherwise: what the robustness card asks."""

from __future__ import annotations

import re
from typing import Callable, Dict

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.disturb import with_own_slips

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
        "typing slips": lambda text: with_own_slips(text, _N_SLIPS),
        "lower case": str.lower,
        "upper case": str.upper,
        "no punctuation": _bare,
        "politeness": lambda text: polite.replace("{}", text),
    }


def _bare(text: str) -> str:
    bare = " ".join(_PUNCTUATION.sub(" ", text).split())
    return bare if bare else text
