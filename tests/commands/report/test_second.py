"""A trained model beside the bot of a report."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Callable, Iterable, Iterator, Optional

import pytest

from rasa_tokprune.commands.report import second
from tests.commands.asked import FakeModel, parse_of
from tests.commands.report.conftest import LOG

TABLE = {LOG[0]: parse_of(LOG[0], "refund", 0.4), LOG[1]: parse_of(LOG[1], "hello", 0.9)}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeModel:
    archive = tmp_path / "other.tar.gz"
    archive.write_bytes(b"")
    model = FakeModel(TABLE, archive)

    @contextlib.contextmanager
    def open_model(path: Path, option: str) -> Iterator[FakeModel]:
        assert (path, option) == (archive, "--against")
        yield model

    monkeypatch.setattr(second, "open_model", open_model)
    monkeypatch.setattr(second, "require_rasa", lambda _: None)
    return model


def no_bar(items: Iterable[Any], name: str, total: int) -> Iterable[Any]:
    return items


@pytest.mark.parametrize(("threshold", "taken"), [(0.3, "refund"), (None, "nlu_fallback")])
def test_a_model_without_a_fallback_falls_back_below_one_half(
    threshold: Optional[float], taken: str, model: FakeModel
) -> None:
    model.fallback_threshold = threshold
    texts = [LOG[0], LOG[1], "not in the table", LOG[0]]
    found = second._ask(model.archive, texts, [None, "hello", None, None], "log", no_bar)
    assert [each.action for each in found] == [taken, "hello", "nlu_fallback", taken]
    assert [each.intent for each in found] == [None, "hello", None, None]
    assert [each.text for each in found] == texts
    assert model.asked == [texts[:3]]


def test_its_answers_are_compared_with_the_bots(
    model: FakeModel, report: Callable[..., str], tmp_path: Path
) -> None:
    log = tmp_path / "log.txt"
    log.write_text("\n".join([*LOG, LOG[0]]), encoding="utf-8")
    page = report("--log", str(log), "--against", str(model.archive))
    assert f"Both answered {len(LOG) + 1} messages of the log" in page
    assert "trained model other.tar.gz" in page
