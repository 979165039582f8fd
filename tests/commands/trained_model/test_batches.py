"""Messages in batches: in order, one answer each, a text asked once."""

from __future__ import annotations

from typing import Any, Iterator, List

import pytest

from rasa_tokprune.commands.trained_model import batches
from rasa_tokprune.commands.trained_model.batches import answered
from rasa_tokprune.texts.messages import Message


class Asked:
    """Answers a text with its length, and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: List[List[str]] = []

    def __call__(self, texts: List[str]) -> List[int]:
        self.calls.append(texts)
        return [len(text) for text in texts]


def run(texts: List[str], ask: Any, batch_size: int) -> List[Any]:
    messages = (Message(text, number) for number, text in enumerate(texts))
    found = answered(messages, ask, lambda length: 10 * length, batch_size)
    return [(message.id, message.text, answer) for message, answer in found]


@pytest.mark.parametrize("batch_size", [1, 2, 3, 100])
def test_order_is_kept_and_every_message_has_an_answer(batch_size: int) -> None:
    texts = ["a", "bb", "a", "", "ccc", "bb", "a"]
    expected = [(number, text, 10 * len(text)) for number, text in enumerate(texts)]
    ask = Asked()
    assert run(texts, ask, batch_size) == expected
    # Each different text once, whichever batch it comes in.
    assert sorted(text for call in ask.calls for text in call) == ["", "a", "bb", "ccc"]


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "_REMEMBERED", 2)
    monkeypatch.setattr(batches, "_LONGEST_REMEMBERED", 3)
    ask = Asked()
    run(["a", "b", "a", "c", "a", "b", "long", "long"], ask, 1)
    # b was used longest ago when c came; a text that is too long is never remembered.
    assert [call for call in ask.calls if call] == [["a"], ["b"], ["c"], ["b"], ["long"], ["long"]]


def test_no_more_than_a_batch_is_read_ahead() -> None:
    read = []

    def source() -> Iterator[Message]:
        for number in range(10):
            read.append(number)
            yield Message(str(number))

    next(iter(answered(source(), Asked(), lambda length: length, 3)))
    assert read == [0, 1, 2]
