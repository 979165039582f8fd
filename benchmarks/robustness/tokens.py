"""Which tokens a plan prunes: by class and by place."""

from __future__ import annotations

import re
from typing import Any, Dict, Iterator, List, Sequence, Tuple

from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.encoded_text import EncodedText

_NEGATIONS = frozenset(
    ("no", "not", "nor", "never", "none", "neither", "nothing", "nobody", "cannot", "without", "t")
)
# Before the t of don't, typed or typeset.
_APOSTROPHES = ("'", "\u2019")
PLACES = ("first fifth", "second fifth", "third fifth", "fourth fifth", "last fifth")


def pruned_shares(encoder: Encoder, texts: Sequence[str]) -> List[Dict[str, Any]]:
    """Returns what share of the content tokens of each class and place is pruned.

    Classes are told apart by word lists, no tagger: scikit-learn's stop words are function words.
    A word in several pieces counts as 'further piece' from its second on; the t of don't is a
    negation.

    Returns:
        Rows with `group` ('class' or 'place'), `name`, `n_tokens` and `n_pruned`.
    """
    counts: Dict[Tuple[str, str], List[int]] = {}
    for text, encoded in zip(texts, encoder.encode_detailed(texts)):
        for group, name, is_pruned in _told_apart(text, encoded):
            own = counts.setdefault((group, name), [0, 0])
            own[0] += 1
            own[1] += is_pruned
    return [
        {"group": group, "name": name, "n_tokens": n_tokens, "n_pruned": n_pruned}
        for (group, name), (n_tokens, n_pruned) in sorted(counts.items())
    ]


def token_class(text: str, start: int, end: int) -> str:
    """Returns the class of the token at the characters [start, end) of a text."""
    word = text[start:end].lower()
    before = text[start - 1] if start else " "
    if word in _NEGATIONS and not (word == "t" and before not in _APOSTROPHES):
        return "negation"
    if start and before.isalnum() and word[:1].isalnum():
        return "further piece"
    if word.isdigit():
        return "number"
    if re.fullmatch(r"\W+|_", word):
        return "punctuation"
    return "function word" if word in ENGLISH_STOP_WORDS else "content word"


def _told_apart(text: str, encoded: EncodedText) -> Iterator[Tuple[str, str, bool]]:
    tokens = encoded.tokens
    content = [index for index in range(len(tokens)) if not tokens.is_special[index]]
    for number, index in enumerate(content):
        is_pruned = bool(encoded.pruned_after[index] >= 0)
        start, end = (int(place) for place in tokens.offsets[index])
        yield "class", token_class(text, start, end), is_pruned
        yield "place", PLACES[number * len(PLACES) // len(content)], is_pruned
