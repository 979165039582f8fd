"""The share of a text that the encoder's vocabulary knows."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rasa_tokprune.encoder import Encoder, load_encoder
from rasa_tokprune.encoder.tokens import TextTokenizer
from tests.checkpoints import write_json

WITH_UNKNOWN = ["bert", "mpnet", "xlm-roberta"]


@pytest.fixture(params=WITH_UNKNOWN)
def encoder(request: pytest.FixtureRequest, checkpoint: Callable[[str], Path]) -> Encoder:
    """Returns tiny encoders that know the letters of an English corpus and no other sign."""
    return load_encoder(str(checkpoint(request.param)))


def test_known_texts_are_readable(encoder: Encoder) -> None:
    texts = ["where is my parcel", "hello", "hello there, thanks a lot"]
    assert encoder.readable_shares(texts).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("text", ["👍", "再", "ж", "🤮"])
def test_unknown_signs_are_not(encoder: Encoder, text: str) -> None:
    own = encoder.tokenize([text])[0]
    assert own.n_unknown == 1
    assert 0.0 <= own.readable_share <= 0.5, "a unigram tokenizer puts a blank before it"
    assert encoder.tokenize([f"hello {text}"])[0].n_unknown == 1


def test_shares_by_hand(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert))
    texts = ["👍", "hello 👍", "where is my 👍", "👍 👍 再", "hello", "where 👍 is ж"]
    assert encoder.readable_shares(texts).tolist() == [0.0, 0.5, 0.75, 0.0, 1.0, 0.5]


def test_one_text_has_the_share_it_has_among_others(encoder: Encoder) -> None:
    texts = ["hello 👍", "where is my parcel", "", "再见", "x"]
    alone = [float(encoder.readable_shares([text])[0]) for text in texts]
    np.testing.assert_array_equal(encoder.readable_shares(texts), alone)
    assert encoder.readable_shares([]).shape == (0,)


@pytest.mark.parametrize("text", ["", "  ", "\u200b\u2060", "\u3164"])
def test_nothing_is_read_of_a_text_without_content(tiny_bert: Path, text: str) -> None:
    assert load_encoder(str(tiny_bert)).readable_shares([text]).tolist() == [0.0]


def test_a_byte_level_vocabulary_reads_everything(checkpoint: Callable[[str], Path]) -> None:
    encoder = load_encoder(str(checkpoint("roberta")))
    assert encoder.readable_shares(["👍", "再见", "hello", "ж"]).tolist() == [1.0] * 4


@pytest.mark.parametrize("prompt", ["where is my ", "👍👍 "])
def test_a_prompt_is_not_counted(new_checkpoint: Callable[..., Path], prompt: str) -> None:
    folder = new_checkpoint()
    write_json(
        folder / "config_sentence_transformers.json",
        {"prompts": {"query": prompt, "none": ""}, "default_prompt_name": "query"},
    )
    prompted, bare = (load_encoder(str(folder), prompt_name=name) for name in (None, "none"))
    assert prompted.prompt == prompt
    texts = ["👍", "hello", "hello 👍", "where 👍 my parcel", ""]
    shares = [0.0, 1.0, 0.5, 0.75, 0.0]
    assert prompted.readable_shares(texts).tolist() == shares
    assert bare.readable_shares(texts).tolist() == shares


def test_of_a_text_that_is_cut_what_is_read_counts(tiny_bert: Path) -> None:
    encoder = load_encoder(str(tiny_bert), max_length=6)
    own = encoder.tokenize(["hello hello hello hello 👍 👍"])[0]
    assert (own.is_truncated, own.n_unknown, own.readable_share) == (True, 0, 1.0)
    assert encoder.readable_shares(["👍 👍 hello hello 👍"]).tolist() == [0.5]


@pytest.mark.parametrize(("n_ideographs", "share"), [(600, 0.5), (7000, 1.0)])
def test_some_characters_of_a_language_are_not_the_language(
    n_ideographs: int, share: float
) -> None:
    pieces = ["[CLS]", "[SEP]", "[UNK]", "hello", *(chr(0x4E00 + i) for i in range(n_ideographs))]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 1), ("[CLS]", 0))
    own = TextTokenizer(tokenizer).tokenize(["hello 一", "hello", "👍"], 16)
    assert [each.readable_share for each in own] == [share, 1.0, 0.0]
