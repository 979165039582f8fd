"""A text as the tokenizer is given it: how much of it, what shows nothing, what its end is."""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")
# Letters and symbols by name that show nothing: a space stands for each, so that offsets stay.
_FILLERS = str.maketrans(dict.fromkeys("\u115f\u1160\u2800\u3164\uffa0", " "))
# Blanks, control and format characters, joiners, variation selectors, tags: a text of nothing else
# is empty, whatever the vocabulary makes of it. Within a text they are the tokenizer's affair.
_INVISIBLE = re.compile(
    "[\\s\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]*"
)
# What ends a sentence, in several scripts, and the blanks between.
_END = ".!?\u2026\u203c\u203d\u2047\u2048\u2049\u3002\uff01\uff1f\u061f\u06d4\u0964\u0965 \t\r\n"
_WORD = re.compile(r"\w")
# A text of more characters than this for each token that is read is looked at from its beginning.
CHARACTERS_PER_TOKEN = 16
# Nothing behind them is read, where that is more: so a megabyte without a word costs no more.
_MOST_CHARACTERS = 16_384


def most_characters(max_length: int) -> int:
    """Returns how many characters of a text count, where at most `max_length` tokens are read."""
    return max(_MOST_CHARACTERS, CHARACTERS_PER_TOKEN * max_length)


def without_end(text: str) -> str:
    """Returns a text without the punctuation at its end, or as it is where nothing else is left."""
    beginning = text.rstrip(_END)
    return beginning if _WORD.search(beginning) else text


def visible_text(text: str) -> str:
    """Returns a text as the tokenizer is given it; of the same length, or empty."""
    if text.isascii() and text[:1].isalnum():
        return text  # what most texts are, without looking for what they cannot have
    text = _SURROGATE.sub("\ufffd", text).translate(_FILLERS)
    return "" if _INVISIBLE.fullmatch(text) else text
