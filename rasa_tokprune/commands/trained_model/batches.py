"""Any number of messages through a trained model, in batches, each text answered once."""

from __future__ import annotations

import collections
import itertools
from typing import Any, Callable, Dict, Generic, Iterable, Iterator, List, Tuple, TypeVar

from rasa_tokprune.texts.messages import Message

Answer = TypeVar("Answer")

# Answers that are remembered, and the characters a message may have for that: tens of MB at most.
_REMEMBERED = 10_000
_LONGEST_REMEMBERED = 1000


class _Memory(Generic[Answer]):
    """The answers used last, by text."""

    def __init__(self) -> None:
        self._answers: collections.OrderedDict[str, Answer] = collections.OrderedDict()

    def known(self, texts: Iterable[str]) -> Dict[str, Answer]:
        found = {text: self._answers[text] for text in texts if text in self._answers}
        for text in found:
            self._answers.move_to_end(text)
        return found

    def remember(self, answers: Dict[str, Answer]) -> None:
        for text, answer in answers.items():
            if len(text) <= _LONGEST_REMEMBERED:
                self._answers[text] = answer
        while len(self._answers) > _REMEMBERED:
            self._answers.popitem(last=False)


def answered(
    messages: Iterable[Message],
    ask: Callable[[List[str]], List[Any]],
    keep: Callable[[Any], Answer],
    batch_size: int,
) -> Iterator[Tuple[Message, Answer]]:
    """Yields messages in order with what is kept of the answer to each.

    No more than a batch of messages and some thousand answers are held at a time. A text that was
    answered not long ago is not asked again.

    Args:
        messages: Any number of them.
        ask: `TrainedModel.parse`, or another function from texts to their answers.
        keep: What is kept of an answer.
        batch_size: Messages in a batch, from 1.
    """
    memory: _Memory[Answer] = _Memory()
    source = iter(messages)
    while batch := list(itertools.islice(source, batch_size)):
        texts = dict.fromkeys(message.text for message in batch)
        answers = memory.known(texts)
        new = [text for text in texts if text not in answers]
        fresh = dict(zip(new, map(keep, ask(new))))
        memory.remember(fresh)
        answers.update(fresh)
        for message in batch:
            yield message, answers[message.text]
