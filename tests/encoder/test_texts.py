"""Any text is encoded: empty, huge, control characters, emoji, right-to-left, surrogates."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, List

import numpy as np
import pytest
from tokenizers import Tokenizer

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.encoder import tokens as tokens_module
from rasa_tokprune.encoder.tokens import read_tokenizer
from rasa_tokprune.encoder.written import most_characters
from tests.checkpoints import ARCHITECTURES

ODD_TEXTS = {
    "empty": "",
    "one character": "x",
    "100,000 characters": "parcel " * 14_286,
    "one huge word": "x" * 100_000,
    "control characters": "\x00\x07\x1b[0m\u200b",
    "emoji": "👩‍👩‍👧‍👦 🚀🚀",
    "right to left": "שלום, איפה החבילה שלי؟ مرحبا",
    "lone surrogate": "where \ud83d is my \udc00 parcel",
    "combining": "e\u0301" * 20,
}


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("name", ODD_TEXTS)
def test_odd_texts_give_finite_vectors_and_offsets_inside_the_text(
    checkpoint: Callable[[str], Path], architecture: str, name: str
) -> None:
    text = ODD_TEXTS[name]
    encoder = load_encoder(str(checkpoint(architecture)))
    encoded = encoder.encode_detailed([text, "hello"])[0]
    assert np.isfinite(encoded.embedding).all()
    assert len(encoded.tokens) <= encoder.max_length
    if name == "100,000 characters":
        assert encoded.tokens.is_truncated
    starts, ends = encoded.tokens.offsets.T
    assert (starts <= ends).all()
    assert ends.max() <= len(text)


def test_lone_surrogate_counts_as_replacement_character(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert))
    pair = encoder.encode(["my \ud83d parcel", "my \ufffd parcel"])
    np.testing.assert_allclose(pair[0], pair[1], atol=1e-6)


def test_truncation_keeps_the_closing_special_token(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), max_length=6)
    encoded = encoder.encode_detailed(["where is my parcel and when will it arrive"])[0]
    full = load_encoder(str(tiny_bert)).encode_detailed(["x"])[0]
    assert len(encoded.tokens) == 6
    assert encoded.tokens.is_special.tolist() == [True, False, False, False, False, True]
    assert encoded.tokens.ids[-1] == full.tokens.ids[-1]


@pytest.mark.parametrize("text", ["", "   ", "\x00\u200b"])
def test_text_without_content_is_known(tiny_bert: Path, text: str) -> None:
    tokens = load_encoder(str(tiny_bert)).tokenize([text, "hello"])
    assert [t.has_content for t in tokens] == [False, True]


def test_offsets_point_at_the_words(tiny_bert: Path) -> None:
    text = "where is my  parcel"
    tokens = load_encoder(str(tiny_bert)).tokenize([text])[0]
    pieces = [text[start:end] for start, end in tokens.offsets]
    assert "".join(pieces) == text.replace(" ", "")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("filling", ["where is my parcel ", " ", "👍 ", "a-b "])
@pytest.mark.parametrize("length", [191, 192, 193, 767, 769, 5000])
def test_the_beginning_of_a_huge_text_gives_the_tokens_of_the_whole(
    checkpoint: Callable[[str], Path], architecture: str, filling: str, length: int
) -> None:
    folder = checkpoint(architecture)
    encoder = load_encoder(str(folder), max_length=12)
    text = ("I want to cancel " + filling * length)[:length]
    whole = Tokenizer.from_str(read_tokenizer(folder)).encode(text)
    (tokens,) = encoder.tokenize([text])
    n_kept = min(len(whole.ids), 12) - 1  # but for the closing special token
    assert tokens.ids.tolist()[:n_kept] == whole.ids[:n_kept]
    assert tokens.ids[-1] == whole.ids[-1]
    assert tokens.is_truncated == (len(whole.ids) > 12)


def test_a_huge_text_is_not_tokenized_whole(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: List[int] = []
    original = tokens_module.visible_text

    def recorder(text: str) -> str:
        looked_at.append(len(text))
        return original(text)

    monkeypatch.setattr(tokens_module, "visible_text", recorder)
    load_encoder(str(tiny_bert), max_length=12).tokenize(["where is my parcel " * 50_000])
    assert max(looked_at) < 2000


@pytest.mark.parametrize("filling", ["x", "\U0001f600", " ", "\u200b", "!"])
def test_a_text_without_words_is_not_looked_at_whole(
    tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, filling: str
) -> None:
    looked_at: List[int] = []
    original = tokens_module.visible_text
    monkeypatch.setattr(
        tokens_module, "visible_text", lambda text: looked_at.append(len(text)) or original(text)
    )
    encoder = load_encoder(str(tiny_bert))
    (tokens,) = encoder.tokenize([filling * 300_000 + "hello"])
    assert max(looked_at) <= most_characters(encoder.max_length) == 16_384
    assert tokens.is_truncated
    assert not encoder.tokenize([filling * 10])[0].is_truncated


def test_a_long_reading_encoder_looks_at_all_it_reads() -> None:
    assert most_characters(8192) == 16 * 8192


def test_content_behind_a_mile_of_blanks_is_content(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), max_length=12)
    far, near = encoder.tokenize([" " * 5000 + "hello", "hello"])
    assert far.ids.tolist() == near.ids.tolist()
