"""The top intents of messages, without confidences."""

from __future__ import annotations

from typing import Callable

from rasa_tokprune.fewshot import Messages
from rasa_tokprune.fewshot.certificate import answers_of, fit_head


def test_queries_beside_the_support_set(around: Callable) -> None:
    embeddings, labels = around(5, 5, noise=0.3)
    own = Messages(embeddings)
    queries, expected = around(5, 3, noise=0.3, draw=1)
    assert answers_of(*fit_head(own, labels), Messages(queries)) == expected
    assert answers_of(*fit_head(own, labels, labels, {}), Messages(queries[:0])) == []
