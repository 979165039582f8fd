"""The commands end to end on a tiny checkpoint, and what they refuse."""

from __future__ import annotations

from pathlib import Path
from typing import List

import pytest

from benchmarks.conftest import Refusal
from benchmarks.engines.checkpoints import SHAPES, write_checkpoint
from benchmarks.latency import latency, shapes, start, throughput
from benchmarks.latency.tables import start_table
from benchmarks.rows import read_rows
from rasa_tokprune import load_encoder
from tests.bots_on_disk import TRAIN, write_nlu


@pytest.fixture
def command(tiny_bert: Path, messages: List[str], tmp_path: Path) -> List[str]:
    (tmp_path / "messages.txt").write_text("\n".join(messages))
    options = ["--model", str(tiny_bert), "--messages", str(tmp_path / "messages.txt")]
    options += ["--out", str(tmp_path / "rows.jsonl")]
    return [*options, "--work", str(tmp_path / "work"), "--repetitions", "1"]


@pytest.mark.thorough
def test_throughput(command: List[str], tmp_path: Path) -> None:
    options = ["--texts", "20", "--engines", "ours:torch:fp32:off"]
    assert throughput.main([*command, *options]) == 0
    (row,) = read_rows(tmp_path / "rows.jsonl")
    assert row["n_texts"] == 20
    assert row["median_ms"] > 0


@pytest.mark.thorough
def test_shapes_prune_against_unpruned(command: List[str], tmp_path: Path) -> None:
    options = ["--shapes", "tiny", "--lengths", "16", "--engines", "ours:torch:fp32"]
    assert shapes.main([*command, *options]) == 0
    rows = read_rows(tmp_path / "rows.jsonl")
    costs = {row["engine"].split(":")[3]: row["cost"] for row in rows}
    assert len(costs) == 11
    assert costs["off"] == 1.0 > costs["drop-0.1-1"] > costs["drop-0.5-1"] > costs["drop-0.5-1,3,5"]


def test_random_checkpoint_of_mpnet_encodes(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SHAPES, "tiny-mpnet", ("mpnet", SHAPES["tiny"][1]))
    write_checkpoint("tiny-mpnet", tiny_bert, tmp_path)
    encoder = load_encoder(str(tmp_path), backend="torch")
    assert encoder.encode(["hello there"]).shape == (1, 32)


@pytest.mark.thorough
def test_starts_are_timed_with_and_without_stored_weights(tiny_bert: Path, tmp_path: Path) -> None:
    out = tmp_path / "start.jsonl"
    train = write_nlu(tmp_path / "nlu.yml", TRAIN)
    options = ["--out", str(out), "--train", str(train), "--task", "tiny", "--repetitions", "1"]
    options += ["--model", str(tiny_bert), "--engines", "onnx:int8"]
    assert start.main(options) == 0
    first = out.read_text()
    assert start.main(options) == 0
    assert out.read_text() == first, "nothing was left to do"
    rows = read_rows(out)
    assert [row["kind"] for row in rows] == ["new", "stored"]
    assert all(row["load_ms"] > 0 and row["train_ms"] > 0 for row in rows)
    assert "| onnx int8 | stored |" in start_table(rows)
    assert "tiny, 9 examples, 1 thread(s)." in start_table(rows)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--engines", "openvno:int8"], "Did you mean 'openvino:int8'"),
        (["--threads", "1000", "--engines", "ours:torch:fp32:off"], "threads must be in"),
        (["--messages", "absent.yml"], "'absent.yml' does not exist"),
    ],
)
def test_one_line_errors(
    command: List[str], extra: List[str], message: str, tmp_path: Path, refusal: Refusal
) -> None:
    line = refusal(latency.main, [*command, *extra])
    assert message in line
    assert line.startswith("python -m benchmarks.latency.latency: ")
    assert not (tmp_path / "rows.jsonl").exists()


def test_unknown_shape(command: List[str], refusal: Refusal) -> None:
    line = refusal(shapes.main, [*command, "--shapes", "bert-bse"])
    assert "Did you mean 'bert-base'" in line
