"""A message's word n-grams: of whatever script, emoji too."""

from __future__ import annotations

import itertools
import re
import unicodedata
from typing import List

import regex

# Scripts written without spaces give a word for each character; their pairs stand for words.
_NO_SPACES = "".join(
    rf"\p{{{script}}}"
    for script in ("Han", "Hiragana", "Katakana", "Thai", "Lao", "Khmer", "Myanmar")
)
_WORD = regex.compile(
    rf"[{_NO_SPACES}]\p{{M}}*+|(?:(?![{_NO_SPACES}])[\p{{L}}\p{{N}}]\p{{M}}*+)++|\p{{S}}"
)
# The same for letters without accents, which most messages have alone, in a fifth of the time.
_ASCII_WORD = re.compile(r"[a-z0-9]+|[$+<=>^`|~]")
_BLANK = regex.compile(r"\s")
# What stands behind is not read, as by the encoder: a megabyte costs what its beginning costs.
_MOST_CHARACTERS = 16_384
# Characters that show nothing, and the skin colour of an emoji.
_IGNORED = regex.compile(r"[\p{Default_Ignorable_Code_Point}\p{Cc}\u2800\U0001F3FB-\U0001F3FF]")


def words(text: str) -> List[str]:
    """Returns a text's words, case folded and normalised (NFKC), punctuation left out.

    Symbols, such as emoji, are words; so is each character of a script without spaces. Of a very
    long text, those of the first 16,384 characters.
    """
    text = text[:_MOST_CHARACTERS]
    if text.isascii() and text.isprintable():
        return _ASCII_WORD.findall(text.lower())
    return _words_of_any_script(text)


def _words_of_any_script(text: str) -> List[str]:
    shown = _IGNORED.sub("", _BLANK.sub(" ", text))
    # Folding may leave a letter and its accent apart, so they are joined once more.
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", shown).casefold())
    return _WORD.findall(folded)


def plain_text(text: str) -> str:
    """Returns a text's words with blanks in between: what is left of case and punctuation."""
    return " ".join(words(text))


def ngrams(text: str) -> List[str]:
    """Returns a text's words and pairs of neighbours, a blank in between."""
    single = words(text)
    return [*single, *map(" ".join, itertools.pairwise(single))]
