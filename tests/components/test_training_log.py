"""The summary of a training: one text of aligned lines, or one record where logs are JSON."""

from __future__ import annotations

import json
import logging
from typing import Any, Callable, Iterator, List

import pytest
import structlog
from rasa.shared.nlu.training_data.training_data import TrainingData
from rasa.utils import log_utils
from structlog.testing import capture_logs

from rasa_tokprune.components import training_log
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector

Make = Callable[..., Any]


@pytest.fixture(autouse=True)
def _new_logger(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the logger of one test, which Rasa's set-up freezes, from the next."""
    monkeypatch.setattr(training_log, "logger", structlog.get_logger(training_log.__name__))


@pytest.fixture
def as_rasa() -> Iterator[Callable[[Any], None]]:
    """Returns a function that sets structlog up as Rasa does, with a renderer at the end."""
    before = structlog.get_config()

    def configure(renderer: Any) -> None:
        structlog.configure(
            processors=[structlog.processors.add_log_level, renderer],
            logger_factory=structlog.stdlib.LoggerFactory(),
            wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
            cache_logger_on_first_use=False,
        )

    yield configure
    structlog.configure(**before)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], List[logging.LogRecord]]:
    """Returns a function: the records of the summary so far."""
    caplog.set_level(logging.DEBUG, logger=training_log.__name__)
    return lambda: [each for each in caplog.records if each.name == training_log.__name__]


def test_a_terminal_gets_one_text_of_aligned_lines(
    create: Make, training_data: TrainingData, as_rasa: Any, logged: Any
) -> None:
    as_rasa(structlog.dev.ConsoleRenderer())
    create(TokPruneIntentClassifier).train(training_data)
    (record,) = logged()
    assert record.levelno == logging.INFO
    title, *lines = record.getMessage().splitlines()
    assert title == "TokPruneIntentClassifier is trained:"
    names = [line[2:].split("  ")[0].strip() for line in lines]
    assert names[:5] == ["learned", "took", "plan", "accuracy", "confidence"]
    assert names[-1] == "next"
    start = lines[0].index(lines[0].split()[1])
    assert all(line[:start].endswith("  ") and line[start] != " " for line in lines)
    assert "s: encoding " in lines[1]
    assert ", calibrating " in lines[1]


def test_json_logs_get_one_record_with_fields(
    create: Make, training_data: TrainingData, as_rasa: Any, logged: Any
) -> None:
    as_rasa(structlog.processors.JSONRenderer())
    create(TokPruneIntentClassifier).train(training_data)
    (record,) = logged()
    fields = json.loads(record.getMessage())
    assert fields["event"] == "tokprune_intent_classifier.trained"
    assert fields["level"] == "info"
    assert fields["examples"] == fields["n_held_out"] == len(training_data.intent_examples)
    assert 0 <= fields["accuracy"] <= 1
    assert set(fields["seconds"]) == {"encoding", "calibrating"}


@pytest.mark.parametrize("is_forced", [False, True])
def test_without_a_terminal_rasa_gets_lines_unless_json_is_asked_for(
    create: Make,
    training_data: TrainingData,
    logged: Any,
    as_rasa: Any,
    monkeypatch: pytest.MonkeyPatch,
    is_forced: bool,
) -> None:
    monkeypatch.setattr(log_utils, "FORCE_JSON_LOGGING", "true" if is_forced else None)
    log_utils.configure_structlog(logging.INFO)  # stderr of a test is no terminal
    create(TokPruneIntentClassifier).train(training_data)
    (record,) = logged()
    assert record.getMessage().startswith("{") is is_forced


def test_without_cross_validation_nothing_is_said_of_it(
    create: Make, training_data: TrainingData, as_rasa: Any, logged: Any
) -> None:
    with capture_logs() as records:
        create(TokPruneIntentClassifier, cross_validation=False).train(training_data)
    (fields,) = (each for each in records if each["event"].endswith(".trained"))
    assert "accuracy" not in fields
    as_rasa(structlog.dev.ConsoleRenderer())
    create(TokPruneIntentClassifier, cross_validation=False).train(training_data)
    (record,) = logged()
    names = [line.split()[0] for line in record.getMessage().splitlines()[1:]]
    assert names == ["learned", "took", "plan"]


def test_a_selector_counts_responses_and_sends_to_no_command(
    create: Make, training_data: TrainingData, as_rasa: Any, logged: Any
) -> None:
    as_rasa(structlog.dev.ConsoleRenderer())
    create(TokPruneResponseSelector).train(training_data)
    (record,) = logged()
    title, learned, *others = record.getMessage().splitlines()
    assert title == "TokPruneResponseSelector is trained:"
    assert " responses as " in learned
    assert not any("rasa-tokprune" in line for line in others), "no command looks at responses"


def test_without_rasas_logging_structlog_shows_it(
    create: Make, training_data: TrainingData, capsys: pytest.CaptureFixture[str]
) -> None:
    before = structlog.get_config()
    structlog.reset_defaults()
    try:
        create(TokPruneIntentClassifier).train(training_data)
    finally:
        structlog.configure(**before)
    assert "TokPruneIntentClassifier is trained:\n  learned " in capsys.readouterr().out


def test_a_fold_of_rasas_cross_validation_is_logged_at_debug(
    create: Make, training_data: TrainingData, as_rasa: Any, logged: Any
) -> None:
    as_rasa(structlog.dev.ConsoleRenderer())
    classifier = create(TokPruneIntentClassifier)
    # As if the caller were a function of Rasa's module.
    names = {"__name__": "rasa.nlu.test", "train": classifier.train, "data": training_data}
    exec("train(data)", names)
    (record,) = logged()
    assert record.levelno == logging.DEBUG


def test_control_characters_are_escaped(
    create: Make, training_data: TrainingData, as_rasa: Any, logged: Any
) -> None:
    as_rasa(structlog.dev.ConsoleRenderer())
    for number, example in enumerate(training_data.training_examples):
        example.set("text", f"{example.get('text')} \x1b[31m{number}")
    create(TokPruneIntentClassifier).train(training_data)
    (record,) = logged()
    assert "\x1b" not in record.getMessage()
