"""N-grams: what is a word in every script, what is dropped, what is folded."""

from __future__ import annotations

import unicodedata
from typing import List

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rasa_tokprune.fewshot.lexical import ngrams as ngrams_module
from rasa_tokprune.fewshot.lexical.ngrams import ngrams, words

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates too


@pytest.mark.parametrize("letter", ["a", "\u00e4", "\u65e5"])
def test_what_stands_behind_16384_characters_is_not_read(letter: str) -> None:
    assert words(f"{letter} " * 8192 + "behind") == [letter] * 8192


def test_words_and_pairs_of_neighbours() -> None:
    assert ngrams("Where is it") == ["where", "is", "it", "where is", "is it"]
    assert ngrams("hello") == ["hello"]
    assert ngrams("yes yes yes") == ["yes", "yes", "yes", "yes yes", "yes yes"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("STRASSE", "straße"),
        ("ΑΣ", "ας"),
        ("ﬁne", "fine"),
        ("\uff48\uff49", "hi"),
        ("①", "1"),
        ("o\u0308n", "ön"),
        ("ｶﾞ", "ガ"),
        ("ΐ", "ΐ".upper()),
        ("o\u2060\u0308n", "ön"),
    ],
)
def test_case_and_ways_to_write_the_same_are_folded(one: str, other: str) -> None:
    assert words(one) == words(other) != []


@pytest.mark.parametrize(
    ("one", "other"),
    [("on", "ön"), ("ou", "où"), ("hat", "hät"), ("し", "じ"), ("👍", "👎"), ("है", "हो")],
)
def test_accents_and_signs_tell_words_apart(one: str, other: str) -> None:
    assert not set(ngrams(one)) & set(ngrams(other))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("👍", ["👍"]),
        ("👍🏽", ["👍"]),
        ("❤️", ["❤"]),
        ("❤\ufe0e", ["❤"]),
        ("🤮🤮", ["🤮", "🤮"]),
        ("ok👍👍", ["ok", "👍", "👍"]),
        ("👩‍💻", ["👩", "💻"]),
        ("🇩🇪", ["🇩", "🇪"]),
        ("1️⃣", ["1\u20e3"]),
        ("❌ no", ["❌", "no"]),
        ("5€", ["5", "€"]),
    ],
)
def test_symbols_are_words_without_colour_and_variant(text: str, expected: List[str]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("再见", ["再", "见", "再 见"]),
        ("退款 ok", ["退", "款", "ok", "退 款", "款 ok"]),
        ("ありがとう", [*"ありがとう", "あ り", "り が", "が と", "と う"]),
        ("カード", ["カ", "ー", "ド", "カ ー", "ー ド"]),
        # A vowel sign or a tone stays with the character below it.
        ("ดีวัน", ["ดี", "วั", "น", "ดี วั", "วั น"]),
        ("iphoneを買う", ["iphone", "を", "買", "う", "iphone を", "を 買", "買 う"]),
    ],
)
def test_scripts_without_spaces_give_characters_and_their_pairs(
    text: str, expected: List[str]
) -> None:
    assert ngrams(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("नमस्ते दुनिया", ["नमस्ते", "दुनिया"]),
        ("வணக்கம்", ["வணக்கம்"]),
        ("مرحبا بك", ["مرحبا", "بك"]),
        ("안녕하세요 여러분", ["안녕하세요", "여러분"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
    ],
)
def test_signs_of_vowels_stay_in_their_words(text: str, expected: List[str]) -> None:
    assert words(text) == [unicodedata.normalize("NFKC", word) for word in expected]


@pytest.mark.parametrize("text", ["", " ", "?!...", "¿¡«»„“", "。、\uff1f\uff01", "- _ # %", "،؟"])
def test_punctuation_is_nothing(text: str) -> None:
    assert ngrams(text) == []


def test_punctuation_parts_words() -> None:
    assert words("Hi!How are you?I'm fine") == ["hi", "how", "are", "you", "i", "m", "fine"]
    assert words("on-line,3.5") == ["on", "line", "3", "5"]


INVISIBLE = "\u00ad\u034f\u115f\u1160\u200b\u200d\u2060\u2062\u2800\u3164\ufe0f\ufeff\U000e0041"


def test_invisible_characters_are_nothing() -> None:
    assert ngrams(INVISIBLE) == ngrams("\x00\x07\x1b") == []
    for character in INVISIBLE:
        assert words(f"par{character}cel") == ["parcel"]


@pytest.mark.parametrize("blank", [" ", "\n", "\t", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "　"])
def test_every_blank_parts_words(blank: str) -> None:
    assert ngrams(f"hello{blank}world") == ["hello", "world", "hello world"]


@given(ANY_TEXT)
def test_any_text_has_ngrams_that_hold_no_blank_but_between_words(text: str) -> None:
    single = words(text)
    assert all(word and not any(c.isspace() for c in word) for word in single)
    assert len(ngrams(text)) == max(2 * len(single) - 1, 0)


@given(ANY_TEXT)
def test_words_of_words_are_the_words(text: str) -> None:
    single = words(text)
    assert words(" ".join(single)) == single


@given(ANY_TEXT, ANY_TEXT)
def test_what_stands_apart_is_read_apart(first: str, second: str) -> None:
    assert words(f"{first} . {second}") == words(first) + words(second)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
@example("".join(map(chr, range(32, 127))))
@example(" ".join(map(chr, range(32, 127))))
@example("a".join(map(chr, range(32, 127))))
def test_the_short_way_to_words_is_the_long_one(text: str) -> None:
    assert words(text) == ngrams_module._words_of_any_script(text)
