"""`rasa-tokprune bench` end to end on a tiny checkpoint, and what it refuses."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import List

import pytest

from rasa_tokprune import load_encoder
from rasa_tokprune.cli import main
from rasa_tokprune.evaluation.bench import arguments, rasa_pipelines
from rasa_tokprune.evaluation.bench.checkpoints import SHAPES, write_checkpoint
from rasa_tokprune.evaluation.bench.latency import LENGTHS
from rasa_tokprune.evaluation.bench.rows import read_rows
from tests.evaluation.test_report import DOCUMENT


@pytest.fixture
def command(tiny_bert: Path, messages: List[str], tmp_path: Path) -> List[str]:
    (tmp_path / "messages.txt").write_text("\n".join(messages))
    options = ["--model", str(tiny_bert), "--messages", str(tmp_path / "messages.txt")]
    return [*options, "--work", str(tmp_path / "work"), "--repetitions", "1"]


def test_from_measuring_to_report(command: List[str], tmp_path: Path) -> None:
    engine = "ours:torch:fp32:off"
    data = tmp_path / "data"
    out = ["--out", str(data / "bench_throughput.jsonl")]
    assert main(["bench", "throughput", *command, *out, "--texts", "20", "--engines", engine]) == 0
    out = ["--out", str(data / "bench_scaling.jsonl"), "--lengths", "4", "16", "512"]
    sizes = ["--examples", "--intents", "2", "4"]
    assert main(["bench", "scaling", *command, *out, *sizes, "--engines", engine]) == 0
    rows = read_rows(data / "bench_scaling.jsonl")
    assert {row["tokens"] for row in rows if row["kind"] == "tokens"} == {4, 16}  # 80 positions
    assert {row["n_way"] for row in rows if row["kind"] == "intents"} == {2, 4}
    (tmp_path / "b.md").write_text(DOCUMENT.read_text(encoding="utf-8"))
    report = ["bench", "report", "--data", str(data), "--plots", str(tmp_path)]
    table = tmp_path / "break_even.json"
    assert main([*report, "--markdown", str(tmp_path / "b.md"), "--break-even", str(table)]) == 0
    assert "texts/s" in (tmp_path / "b.md").read_text()
    assert table.is_file()


def test_shapes_prune_against_unpruned(command: List[str], tmp_path: Path) -> None:
    out = tmp_path / "bench_shapes.jsonl"
    options = ["--out", str(out), "--shapes", "tiny", "--lengths", "16"]
    assert main(["bench", "shapes", *command, *options, "--engines", "ours:torch:fp32"]) == 0
    costs = {row["engine"].split(":")[3]: row["cost"] for row in read_rows(out)}
    assert len(costs) == 11
    assert costs["off"] == 1.0 > costs["drop-0.1-1"] > costs["drop-0.5-1"] > costs["drop-0.5-1,3,5"]


def test_random_checkpoint_of_mpnet_encodes(
    tiny_bert: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(SHAPES, "tiny-mpnet", ("mpnet", SHAPES["tiny"][1]))
    write_checkpoint("tiny-mpnet", tiny_bert, tmp_path)
    encoder = load_encoder(str(tmp_path), backend="torch")
    assert encoder.encode(["hello there"]).shape == (1, 32)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--engines", "openvno:int8"], "Did you mean 'openvino:int8'"),
        (["--threads", "1000", "--engines", "ours:torch:fp32:off"], "threads must be in"),
        (["--messages", "absent.yml"], "'absent.yml' does not exist"),
    ],
)
def test_one_line_errors(
    command: List[str],
    extra: List[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = ["--out", str(tmp_path / "rows.jsonl")]
    assert main(["bench", "latency", *command, *out, *extra]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("rasa-tokprune bench: ")


def test_unknown_pipeline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = ["--task", "bot", "--train", "a.yml", "--test", "b.yml"]
    assert main(["bench", "rasa", *files, "--pipelines", "defualt"]) == 1
    assert "Did you mean 'default'" in capsys.readouterr().err


def test_the_light_command_line_names_what_exists() -> None:
    assert tuple(rasa_pipelines.PIPELINES) == arguments.ALL_PIPELINES
    parser = argparse.ArgumentParser()
    arguments.add_benchmarks(parser)
    assert parser.parse_args(["latency", "--messages", "m"]).lengths == list(LENGTHS)
