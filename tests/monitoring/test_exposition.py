"""Where metrics are asked for, and what stands in the way of them, in one line."""

from __future__ import annotations

import errno
from typing import Any, Iterator, List, Optional

import pytest
from structlog.testing import capture_logs

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.extras import is_installed
from rasa_tokprune.monitoring import exposition
from rasa_tokprune.monitoring.exposition import (
    ADDRESS_VARIABLE,
    FOLDER_VARIABLE,
    asked_address,
    serve_once,
)
from rasa_tokprune.monitoring.watch import Watch, watch


@pytest.fixture(autouse=True)
def _afresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Lets every test serve for the first time, with none of the variables set."""
    for name in (ADDRESS_VARIABLE, FOLDER_VARIABLE, "SANIC_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    serve_once.cache_clear()
    yield
    serve_once.cache_clear()


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("", None),
        (" ", None),
        ("9464", ("0.0.0.0", 9464)),
        ("127.0.0.1:9464", ("127.0.0.1", 9464)),
        ("localhost:0", ("localhost", 0)),
    ],
)
def test_an_address_is_a_port_or_an_interface_and_a_port(
    monkeypatch: pytest.MonkeyPatch, value: str, address: Optional[tuple]
) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, value)
    assert asked_address() == address


@pytest.mark.parametrize("value", ["yes", "9464/metrics", "65536", "-1", ":9464", "a b:9464"])
def test_another_value_is_no_address(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, value)
    with pytest.raises(ConfigError, match=f"{ADDRESS_VARIABLE} must be a port.*got '"):
        asked_address()


def reasons(logs: List[Any]) -> List[str]:
    found = [each for each in logs if each["event"] == "rasa_tokprune.no_metrics"]
    assert all(each["log_level"] == "warning" for each in found)
    return [each["reason"] for each in found]


def test_without_the_variable_nothing_is_watched_or_said() -> None:
    with capture_logs() as logs:
        assert serve_once() is None
    assert logs == []
    if not is_installed("opentelemetry"):
        assert type(watch("TokPruneIntentClassifier")) is Watch


def test_a_wrong_address_is_said_once_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "everywhere")
    with capture_logs() as logs:
        assert watch("TokPruneIntentClassifier") is not None
        assert watch("TokPruneResponseSelector") is not None
    (reason,) = reasons(logs)
    assert "everywhere" in reason


def test_a_missing_library_is_said_with_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "127.0.0.1:0")
    monkeypatch.setattr("rasa_tokprune.extras.is_installed", lambda name: False)
    with capture_logs() as logs:
        assert serve_once() is None
    (reason,) = reasons(logs)
    assert "pip install 'rasa-tokprune[metrics]'" in reason


def test_several_workers_need_a_folder_that_they_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESS_VARIABLE, "127.0.0.1:0")
    monkeypatch.setenv("SANIC_WORKERS", "4")
    monkeypatch.setattr("rasa_tokprune.extras.is_installed", lambda name: True)
    with capture_logs() as logs:
        assert serve_once() is None
    (reason,) = reasons(logs)
    assert FOLDER_VARIABLE in reason
    assert "SANIC_WORKERS=4" in reason


def test_a_port_that_is_taken_is_said_and_stops_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(address: Any) -> None:
        raise OSError(errno.EADDRINUSE, "Address already in use")

    monkeypatch.setenv(ADDRESS_VARIABLE, "127.0.0.1:9464")
    monkeypatch.setattr("rasa_tokprune.extras.is_installed", lambda name: True)
    monkeypatch.setattr(exposition, "_bind", taken)
    with capture_logs() as logs:
        assert serve_once() is None
    (reason,) = reasons(logs)
    assert "127.0.0.1:9464" in reason
    assert "Address already in use" in reason
