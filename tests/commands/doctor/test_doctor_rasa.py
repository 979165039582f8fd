"""What Rasa itself says, and the example bot, of which nothing is to be said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from rasa_tokprune.commands.doctor import rasa_worker
from rasa_tokprune.commands.doctor.bot import Bot
from rasa_tokprune.commands.doctor.case import Case
from rasa_tokprune.commands.doctor.checks import rasa_validation
from rasa_tokprune.commands.doctor.findings import Finding
from tests.commands.doctor.conftest import CLASSIFIER, FALLBACK, Found, expect
from tests.real_data import ROOT


@pytest.fixture
def say() -> Callable[[str, str], List[Finding]]:
    """Returns a function: what Rasa's process printed -> findings."""
    return lambda out, complaint="": list(
        rasa_validation._findings(out, complaint, Case(Bot()), "config.yml")
    )


def test_what_rasa_says_is_one_line(say: Callable[..., List[Finding]]) -> None:
    said = json.dumps({"error": "", "warnings": ["unused"], "bytes": 5})
    assert [(each.code, each.text) for each in say(f"noise\n{said}")] == [
        ("rasa-warning", "Rasa: unused"),
        ("rasa-validation", "Rasa accepts the configuration"),
    ]
    (error,) = say(json.dumps({"error": "needs spacy", "warnings": [], "bytes": 5}))
    assert (error.code, error.text) == ("rasa-error", "Rasa: needs spacy")
    (error,) = say("", "Traceback\nImportError: no rasa")
    assert error.text == "Rasa could not be asked; it said: ImportError: no rasa"


@pytest.mark.slow
@pytest.mark.needs("rasa")
@pytest.mark.parametrize(
    ("pipeline", "error"),
    [
        ([{"name": CLASSIFIER}, FALLBACK], ""),
        ([{"name": "rasa_tokprune.TokPruneFeaturizer"}, FALLBACK], "require a Tokenizer: "),
        ([{"name": "NoSuchComponent"}], "Can't load class for name 'NoSuchComponent'"),
    ],
)
def test_rasa_is_asked(
    pipeline: List[Dict[str, Any]], error: str, write_bot: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(write_bot(pipeline))
    said = rasa_worker.ask("config.yml", "domain.yml", ["data"])
    assert error in said["error"]
    assert bool(error) == bool(said["error"])
    assert "\n" not in said["error"]


@pytest.mark.slow
@pytest.mark.needs("rasa")
def test_the_example_bot_is_in_order(look: Callable[..., Found]) -> None:
    found = look(ROOT / "example_bot", fast=False)
    own = ("config", "model", "data", "labels", "checks")
    wrong = [
        each
        for own_findings in found.values()
        for each in own_findings
        if each["level"] in ("warning", "error") and each["family"] in own
    ]
    assert wrong == []
    expect(found, "rasa-validation", "Rasa accepts")
