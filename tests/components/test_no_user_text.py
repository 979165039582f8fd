"""No text of a user is logged above debug level, whatever is done with it."""

from __future__ import annotations

import logging
import warnings
from typing import Any, Callable, List, Type

import pytest
import structlog
from rasa.engine.graph import GraphComponent
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

CANARY = "quillfeather"
TEXTS = [
    CANARY,
    f"my card number is 4111 {CANARY}",
    f"{CANARY} \U0001f600\u200b\x00\ud800",
    f'/{CANARY}{{"a": 1}}',
    f"{CANARY} " * 3000,
    f"/not_an_intent {CANARY}",
]


def test_messages_of_users_are_in_no_log(
    component_class: Type[GraphComponent],
    create: Callable[..., Any],
    load: Callable[..., Any],
    training_data: TrainingData,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    create(component_class).train(training_data)
    component = load(component_class)
    capsys.readouterr()
    with (
        caplog.at_level(logging.INFO),
        structlog.testing.capture_logs() as logs,
        warnings.catch_warnings(record=True) as warned,
    ):
        warnings.simplefilter("always")
        for _ in range(2):  # the second time they come from the cache
            component.process([Message({TEXT: text}) for text in TEXTS])
    shown: List[str] = [repr(log) for log in logs if log["log_level"] != "debug"]
    shown += [record.getMessage() for record in caplog.records]
    shown += [str(warning.message) for warning in warned]
    shown += list(capsys.readouterr())
    assert not [line for line in shown if CANARY in line]
