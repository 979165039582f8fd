"""`rasa-tokprune bench`: plans and backends on one's own messages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Callable, List

import numpy as np
import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.commands.bench.command import show
from rasa_tokprune.commands.bench.timing import time_in_turn
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.encoder import load_encoder
from tests.checkpoints import CORPUS
from tests.plans import write_plan


@pytest.fixture
def arguments(tiny_bert: Path, tmp_path: Path) -> List[str]:
    messages = tmp_path / "messages.txt"
    messages.write_text("\n".join(CORPUS), encoding="utf-8")
    plan = write_plan(tmp_path / "half.json")
    given = ["bench", str(messages), "--model", str(tiny_bert), "--prune", str(plan), "--quiet"]
    return [*given, "--repetitions", "9", "--backends", "torch:fp32", "onnx:fp32"]


@pytest.mark.needs("torch")
def test_every_plan_runs_on_every_backend(
    arguments: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == 0
    rows = list(map(json.loads, capsys.readouterr().out.splitlines()))
    plan = arguments[arguments.index("--prune") + 1]
    measured = {(row["backend"], row["plan"]): row for row in rows}
    assert set(measured) == {(b, p) for b in ("torch", "onnx") for p in ("off", plan)}
    for row in rows:
        assert row["messages"] == 9
        assert 0 < row["p50_ms"] <= row["p95_ms"]
        assert row["environment"]["cores"] >= row["threads"] == 1
    # The token-layers do not depend on what runs them.
    assert measured["torch", "off"]["cost"] == 1.0
    assert measured["torch", plan]["cost"] == measured["onnx", plan]["cost"] < 1


@pytest.mark.needs("torch")
def test_the_table_compares_with_the_same_backend_un_pruned(
    arguments: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    row = {"backend": "onnx", "precision": "int8", "messages": 9, "tokens_mean": 8.0, "build": None}
    row.update(plan="off", p50_ms=2.0, p95_ms=4.0, messages_per_s=400.0, cost=1.0)
    rows = [row, {**row, "plan": "light", "p50_ms": 1.5, "cost": 0.85}]
    show(Screen(), rows, threads=1)
    head, off, light, machine = capsys.readouterr().out.splitlines()
    assert head.split() == ["backend", "plan", "p50", "ms", "p95", "ms", "per", "s", "time", "cost"]
    assert off.split() == ["onnx", "int8", "off", "2.00", "4.00", "400", "1.00", "1.00"]
    assert light.split()[-2:] == ["0.75", "0.85"]
    assert machine.startswith("9 messages, 8.0 tokens on average, one at a time, 1 thread; ")
    assert main(arguments) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6


@pytest.mark.needs("torch")
def test_equal_backends_are_timed_once(
    arguments: List[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json", "--backends", "torch:fp32", "torch:fp32"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["--prune", "gentel"], "no plan 'gentel'"),
        (["--backends", "onx"], "Did you mean 'onnx'"),
        (["--backends", "native:fp32"], "precision 'fp32' does not run on backend 'native'"),
        (["--threads", "1000"], "--threads must be a whole number from 1 to "),
        (["--repetitions", "0"], "--repetitions must be a whole number from 1; got 0"),
        (["--model", "./nowhere"], "model folder './nowhere' does not exist"),
    ],
)
def test_wrong_input_is_one_clear_line(
    arguments: List[str], changes: List[str], message: str, refusal: Callable[[List[str]], str]
) -> None:
    assert message in refusal([*arguments, *changes])


def test_no_messages(arguments: List[str], refusal: Callable[[List[str]], str]) -> None:
    assert "'none.yml' does not exist" in refusal([arguments[0], "none.yml", *arguments[2:]])


@pytest.mark.needs("torch")
def test_encoders_take_turns(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoders = [load_encoder(str(tiny_bert), backend="torch", max_length=n) for n in (8, 16)]
    called = []
    for encoder in encoders:
        monkeypatch.setattr(
            encoder, "encode", lambda texts, own=encoder: called.append((texts[0], own.max_length))
        )
    seconds = time_in_turn(encoders, ["a", "b"], 4)
    assert seconds.shape == (4, 2)
    assert np.all(seconds >= 0)
    pairs = [("a", 8), ("a", 16), ("b", 8), ("b", 16)]
    assert called == (pairs * 4)[: len(called)]
