"""A bot on disk to be looked at, and what the command says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence

import pytest
from ruamel.yaml import YAML

from rasa_tokprune.cli import main
from rasa_tokprune.commands.doctor import command
from rasa_tokprune.commands.doctor.bot import Bot
from rasa_tokprune.commands.doctor.case import Case, Check
from tests.bots_on_disk import TRAIN

CLASSIFIER = "rasa_tokprune.TokPruneIntentClassifier"
FALLBACK = {"name": "FallbackClassifier", "threshold": 0.5, "ambiguity_threshold": 0.0}

Finding = Dict[str, Any]
# Code -> its findings.
Found = Dict[str, List[Finding]]


def dump(path: Path, content: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    YAML(typ="safe").dump(content, path)
    return path


def write_nlu(path: Path, intents: Mapping[str, Sequence[str]]) -> Path:
    """Writes examples as people do, a line each: the first intent's begin in line 5."""
    lines = ['version: "3.1"', "nlu:"]
    for intent, texts in intents.items():
        lines += [f"- intent: {intent}", "  examples: |", *(f"    - {text}" for text in texts)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def expect(
    found: Found, code: str, text: str, advice: str = "", line: Optional[int] = None
) -> None:
    """Asserts that a finding was made that says a text, and what to do, in a line."""
    assert code in found, f"no {code} among {sorted(found)}"
    matching = [each for each in found[code] if text in each["text"]]
    assert matching, f"{code} says: {[each['text'] for each in found[code]]}"
    assert any(advice in (each["advice"] or "") for each in matching), matching
    assert line is None or line in [each["line"] for each in matching], matching


@pytest.fixture
def write_bot(tmp_path: Path, tiny_bert: Path) -> Callable[..., Path]:
    """Returns a function that writes a bot: pipeline, intents, domain -> its folder.

    Components of ours get the tiny encoder; without a domain, it fits the intents.
    """

    def write(
        pipeline: Optional[Sequence[Mapping[str, Any]]] = None,
        nlu: Mapping[str, Sequence[str]] = TRAIN,
        domain: Optional[Mapping[str, Any]] = None,
        **keys: Any,
    ) -> Path:
        folder = tmp_path / "bot"
        items = [{"name": CLASSIFIER}, FALLBACK] if pipeline is None else pipeline
        filled = [
            {"model": str(tiny_bert), **each} if "TokPrune" in each["name"] else each
            for each in items
        ]
        config = {"recipe": "default.v1", "assistant_id": "tiny", "language": "en", **keys}
        dump(folder / "config.yml", {**config, "pipeline": [dict(each) for each in filled]})
        write_nlu(folder / "data" / "nlu.yml", nlu)
        dump(folder / "domain.yml", domain or {"intents": sorted(nlu)})
        return folder

    return write


@pytest.fixture
def look(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Found]:
    """Returns a function: bot's folder, options -> findings by code.

    Rasa is not asked, and installation and machine are left out, but for `whole` looks.
    """

    def run(folder: Optional[Path], *options: str, fast: bool = True, whole: bool = False) -> Found:
        capsys.readouterr()
        if not whole:
            kept = [each for each in command._CHECKS if "checks.data" in each.__module__]
            monkeypatch.setattr(command, "_CHECKS", tuple(kept))
        where = [] if folder is None else [str(folder)]
        quick = ["--fast"] if fast else []
        main(["doctor", *where, "--json", "--no-timing", *quick, *options])
        found: Found = {}
        for line in capsys.readouterr().out.splitlines():
            finding = json.loads(line)
            found.setdefault(finding["code"], []).append(finding)
        return found

    return run


@pytest.fixture
def no_rasa(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps a full look from asking Rasa, which takes seconds."""
    monkeypatch.setattr(
        "rasa_tokprune.commands.doctor.command.is_installed", lambda name: name != "rasa"
    )


@pytest.fixture
def see() -> Callable[..., Found]:
    """Returns a function: check, what is known -> findings by code."""

    def run(check: Check, **known: Any) -> Found:
        found: Dict[str, List[Dict[str, Any]]] = {}
        for each in check(Case(Bot(), **known)):
            found.setdefault(each.code, []).append(each.to_dict())
        return found

    return run
