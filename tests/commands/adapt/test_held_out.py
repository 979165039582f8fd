"""What is held out is so by its words alone: from every training, whatever else it has."""

from __future__ import annotations

import hashlib
import itertools

import pytest

from rasa_tokprune.commands.adapt.corpus import HELD_OUT_SHARE, Corpus, is_held_out
from rasa_tokprune.errors import ConfigError

TEXTS = tuple(sorted(f"where is parcel number {number}" for number in range(2000)))
TASK = {f"label {n}": [f"order {n} {k}" for k in range(200)] for n in range(5)}


def corpus(*texts: str) -> Corpus:
    return Corpus(tuple(sorted(texts)), {})


def test_about_three_of_a_hundred_are_held_out() -> None:
    share = sum(map(is_held_out, TEXTS)) / len(TEXTS)
    # Four standard deviations: 4 * sqrt(0.03 * 0.97 / 2000) = 0.015.
    assert share == pytest.approx(HELD_OUT_SHARE, abs=0.015)


def test_it_is_the_hash_of_the_words() -> None:
    for text in TEXTS[:300]:
        first = hashlib.sha256(text.encode()).digest()[:8]
        assert is_held_out(text) == (int.from_bytes(first, "big") / 2**64 < 0.03)


def test_typing_decides_nothing() -> None:
    for text in TEXTS[:300]:
        for typed in (text.upper(), f"{text}?!", f"  {text.replace(' ', ' - ')}", text.title()):
            assert is_held_out(typed) == is_held_out(text)
    words = {is_held_out(text.replace("parcel", "letter")) for text in TEXTS if is_held_out(text)}
    assert words == {True, False}, "other words are another text"


@pytest.mark.parametrize("text", ["", "?!", "\ud800", "\u00df", "\u4f60\u597d"])
def test_any_text_has_a_side(text: str) -> None:
    assert is_held_out(text) in (True, False)
    train, held_out = corpus(text, *TEXTS[:11]).split()
    assert {*train.texts, *held_out.texts} == {text, *TEXTS[:11]}


def test_every_text_is_on_one_side() -> None:
    train, held_out = corpus(*TEXTS).split()
    assert set(train.texts) | set(held_out.texts) == set(TEXTS)
    assert set(held_out.texts) == set(filter(is_held_out, TEXTS))
    assert not set(train.texts) & set(held_out.texts)


def test_more_files_move_no_text_to_the_other_side() -> None:
    for some in (TEXTS[:500], TEXTS[1200:], TEXTS[::7]):
        train, held_out = corpus(*some).split()
        more_train, more_held_out = corpus(*TEXTS, "something new").split()
        assert set(train.texts) <= set(more_train.texts)
        assert set(held_out.texts) <= set(more_held_out.texts)


def test_labelled_texts_are_on_the_side_of_their_words() -> None:
    texts = tuple(sorted(itertools.chain.from_iterable(TASK.values())))
    train, held_out = Corpus(texts, {"bot": TASK}).split()
    for part, is_out in ((train, False), (held_out, True)):
        labelled = {text for own in part.tasks["bot"].values() for text in own}
        assert len(labelled) > 10
        assert labelled <= set(part.texts)
        assert {is_held_out(text) for text in labelled} == {is_out}
        for label, own in part.tasks["bot"].items():
            assert set(own) <= set(TASK[label])
    n_texts = sum(len(own) for own in train.tasks["bot"].values())
    assert n_texts == len(train.texts), "no label lost a text to a rounding"


def test_a_task_with_too_few_held_out_texts_is_not_watched() -> None:
    small = {label: [text for text in own if not is_held_out(text)] for label, own in TASK.items()}
    texts = tuple(sorted(itertools.chain.from_iterable(small.values())))
    train, held_out = Corpus(texts, {"bot": small}).split()
    assert not held_out.tasks
    assert train.tasks["bot"].keys() == TASK.keys()


def test_one_text_is_held_out_where_no_hash_says_so() -> None:
    some = [text for text in TEXTS if not is_held_out(text)][:12]
    train, held_out = corpus(*some).split()
    assert len(held_out.texts) == 1
    assert corpus(*some).split()[1] == held_out
    assert set(train.texts) == set(some) - set(held_out.texts)


def test_a_handful_of_texts_is_refused() -> None:
    with pytest.raises(ConfigError, match="11 texts are too few to learn from; give at least 12"):
        corpus(*TEXTS[:11]).split()
