"""What an intent's own name says: one more example of it, or that it is out of scope."""

from __future__ import annotations

import re
from typing import Callable, Dict, Iterable, List, Sequence

import numpy as np

# Words begin at separators, between lower and upper case, before the last capital of `FAQAnswer`.
_SEPARATORS = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def readable_name(name: str) -> str:
    """Returns the words of an intent's name: `faq/ask_openingHours` -> `faq ask opening hours`.

    Splits snake, kebab and camel case and retrieval keys. A name without a letter gives "".
    """
    words = _SEPARATORS.sub(" ", _CAMEL.sub(" ", name)).strip().lower()
    return words if any(character.isalpha() for character in words) else ""


def embed_names(
    keys: Iterable[str], encode: Callable[[Sequence[str]], np.ndarray]
) -> Dict[str, np.ndarray]:
    """Returns the embedding of each key's readable name, for `PrototypeClassifier.fit`.

    Args:
        keys: Intents or full retrieval keys; names without a word are left out.
        encode: Texts -> embeddings, (n_texts, d).
    """
    readable = {key: readable_name(key) for key in sorted(set(keys))}
    readable = {key: text for key, text in readable.items() if text}
    if not readable:
        return {}
    return dict(zip(readable, encode(list(readable.values()))))


# With spaces taken out of the readable name.
_OOS_NAMES = {
    "outofscope", "oos", "outofdomain", "ood", "nlufallback", "fallback", "outofscopeintent",
    "outofscopequestion", "unsupported", "unknown", "nonsense", "gibberish",
}  # fmt: skip


def find_oos_labels(labels: Iterable[str]) -> List[str]:
    """Returns the labels whose names say out-of-scope, such as `out_of_scope`, ascending.

    Returns nothing if all of them do: then there is no scope to be out of.
    """
    given = set(labels)
    found = [name for name in given if readable_name(name).replace(" ", "") in _OOS_NAMES]
    return sorted(found) if len(found) < len(given) else []
