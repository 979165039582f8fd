"""The log that `parse` is timed on, what times it, and its table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Dict, List

import pytest

from benchmarks.conftest import ENVIRONMENT, Refusal
from benchmarks.rasa import parse, parse_log
from benchmarks.rasa.tables import parse_table
from tests.bots_on_disk import HELLO, write_nlu


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Returns a folder with the files of the log, which hold the same few messages."""
    for name in parse._LOG_FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_nlu(tmp_path / name, {"hello": HELLO, name.split("/")[0]: [f"only in {name}"]})
    return tmp_path


def test_the_log_holds_every_message_once(data: Path) -> None:
    texts = parse.log_of(data)
    assert texts[: len(HELLO)] == HELLO
    assert texts[len(HELLO) :] == [f"only in {name}" for name in parse._LOG_FILES]
    assert not any("test" in name for name in parse._LOG_FILES)


def test_a_missing_file(data: Path, refusal: Refusal) -> None:
    (data / "clinc150/adapt.yml").unlink()
    assert "clinc150/adapt.yml': No such file" in refusal(parse.main, [str(data)])


@pytest.mark.parametrize(
    ("options", "said"),
    [(["--repetitions", "0"], "--repetitions must be"), (["--threads", "0"], "threads must be")],
)
def test_wrong_numbers(data: Path, options: List[str], said: str, refusal: Refusal) -> None:
    assert said in refusal(parse.main, [str(data), *options])


def test_each_batch_size_is_timed_as_often_as_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: List[List[str]] = []

    def command(arguments: List[str]) -> int:
        asked.append(arguments)
        n_messages = len(Path(arguments[1]).read_text().splitlines())
        print(json.dumps({"messages": n_messages, "seconds": 0.5}))
        return 0

    monkeypatch.setattr(parse_log, "command", command)
    log = tmp_path / "log.txt"
    log.write_text("a message\n" * 1200)
    parse_log.main(["off=bot.tar.gz", "--log", str(log), "--repetitions", "2"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        {"pipeline": "off", "batch_size": size, "n_messages": n, "seconds": [0.5, 0.5]}
        for size, n in ((1, 1000), (256, 1200))
    ]
    assert [arguments[arguments.index("--model") + 1] for arguments in asked] == ["bot.tar.gz"] * 4


def row(pipeline: str, batch_size: int, threads: int, seconds: List[float]) -> Dict[str, Any]:
    made = {"pipeline": pipeline, "batch_size": batch_size, "threads": threads}
    made.update(n_messages=100 if batch_size == 1 else 5000, seconds=seconds)
    return {**made, "load_average": 0.25, "environment": ENVIRONMENT}


def test_table() -> None:
    rows = [
        row("fast", 1, 1, [0.1, 0.2, 0.4]),
        row("fast", 256, 1, [2.0, 4.0, 5.0]),
        row("fast", 256, 2, [1.0, 1.0, 1.0]),
        row("config.yml", 256, 1, [5.0, 5.0, 5.0]),
    ]
    head, _, fast, own, _, about, _, machine = parse_table(rows).splitlines()
    assert head == (
        "| messages a second | one at a time, 1 core | 256 together, 1 core | "
        "256 together, 2 cores |"
    )
    assert fast == '| classifier alone, `prune: "fast"` | 500 | 1,250 | 5,000 |'
    assert own == "| the example bot's `config.yml` |  | 1,000 |  |"
    assert about == (
        "Median of 3 runs over 100 different messages one at a time and 5,000 different messages "
        "256 together; load average before: 0.25."
    )
    assert machine.startswith("A CPU")
