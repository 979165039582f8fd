"""Exit codes of `rasa-tokprune evaluate`: gates, and what it refuses."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.commands.evaluate.encoders import choose_encoders
from rasa_tokprune.commands.evaluate.gates import GATES, check_limits, violations
from rasa_tokprune.commands.evaluate.table import COLUMNS, cells, summarize
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.errors import ConfigError
from tests.bots_on_disk import HELLO, TRAIN, write_nlu

BY_OPTION = {gate.option: gate for gate in GATES}


def row(accuracy: float, **fields: Any) -> Dict[str, Any]:
    made = {"task": "x", "shots": 5, "model": "m", "plan": "off", "accuracy": accuracy}
    made.update(macro_f1=0.5, ece=0.1, in_scope_rejection=0.05, oos_auroc=0.9, oos_recall=0.6)
    return {**made, **fields}


def test_gates_look_at_means_over_the_seeds() -> None:
    summaries = summarize([row(0.8), row(0.9), row(0.7, task="y", shots="all")])
    assert [entry["accuracy"] for entry in summaries] == pytest.approx([0.85, 0.7])
    gate = BY_OPTION["--min-accuracy"]
    assert violations([(gate, 0.7)], summaries) == []
    assert violations([(gate, 0.8)], summaries) == [
        "gate --min-accuracy 0.8: 0.700 on y (all examples)"
    ]
    assert violations([(gate, 0.9)], summaries)[0] == (
        "gate --min-accuracy 0.9: 0.850 on x (5 shots)"
    )


@pytest.mark.parametrize(
    ("option", "kept", "violated"),
    [
        ("--min-accuracy", 0.8, 0.81),
        ("--min-macro-f1", 0.5, 0.51),
        ("--max-ece", 0.1, 0.09),
        ("--min-oos-auroc", 0.9, 0.91),
        ("--min-oos-recall", 0.6, 0.61),
        ("--max-in-scope-rejection", 0.05, 0.04),
    ],
)
def test_every_gate(option: str, kept: float, violated: float) -> None:
    summaries, gate = summarize([row(0.8)]), BY_OPTION[option]
    assert violations([(gate, kept)], summaries) == []
    assert len(violations([(gate, violated)], summaries)) == 1


def test_gates_name_the_encoder_if_there_are_several() -> None:
    summaries = summarize([row(0.8), row(0.6, plan="gentle")])
    assert violations([(BY_OPTION["--min-accuracy"], 0.7)], summaries) == [
        "gate --min-accuracy 0.7: 0.600 on x (5 shots, m, gentle)"
    ]


@pytest.mark.parametrize("limit", [-0.1, 1.01, 90.0, float("nan")])
def test_limits_are_shares(limit: float) -> None:
    with pytest.raises(ConfigError, match=r"--max-ece must be in \[0, 1\], got"):
        check_limits([(BY_OPTION["--max-ece"], limit)], {})


def test_table() -> None:
    (shown,) = map(cells, summarize([row(0.8), row(0.9)]))
    assert len(shown) == len(COLUMNS)
    assert shown[:5] == ["x", "5", "m", "off", "85.0 ± 7.1"]
    assert shown[5:] == ["50.0", "0.100", "0.900", "60.0 at 5.0"]
    without = {key: value for key, value in row(0.8).items() if not key.startswith("oos")}
    assert cells(*summarize([without]))[4:] == ["80.0", "50.0", "0.100", "", "- at 5.0"]


def test_exit_code_tells_of_a_gate(
    quick: List[str],
    bot: List[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*quick, *bot, "--min-accuracy", "0.75"]) == 0  # 3 of 4 are right
    assert capsys.readouterr().err == ""
    assert main([*quick, *bot, "--min-accuracy", "0.76", "--min-macro-f1", "0.8"]) == 1
    printed = capsys.readouterr()
    assert printed.err == "gate --min-accuracy 0.76: 0.750 on bot (all examples)\n"
    assert printed.out.splitlines()[1].split()[:2] == ["bot", "all"]


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (["--min-oos-auroc", "0.9"], "--min-oos-auroc 0.9: task 'bot' has no out-of-scope"),
        (["--min-accuracy", "90"], "--min-accuracy must be in [0, 1], got 90.0"),
        (["--shots", "5", "none"], "--shots must be whole numbers from 1, or all, got 'none'"),
        (["--shots", "0"], "got '0'"),
        (["--seeds", "-1"], "--seeds must be whole numbers from 0, got -1"),
        (["--prune", "gentel"], "no plan 'gentel'. Did you mean 'gentle'?"),
        (["--prune", "absent.json"], "absent.json"),
        (["--models", "./absent"], "'./absent' does not exist"),
        (["--oos-intents", "helo"], "no task has an example of 'helo'. Did you mean 'hello'?"),
        (["--oos-intents", "hello", "shipping", "refund"], "all messages of"),
        (["--target-in-scope-rejection", "1"], "--target-in-scope-rejection must be in [0, 1)"),
        (["--oos", "absent.txt"], "there is no file 'absent.txt'"),
        (["--train", "absent.yml"], "there is no file 'absent.yml'"),
        (["--task", "x", "a.yml", "b.yml"], "give either --train and --test"),
        (["--out", __file__], "--out: cannot write to"),
        (["--cache", __file__], "--cache: cannot write to"),
    ],
)
def test_wrong_input_is_one_line_before_anything_is_encoded(
    extra: List[str],
    message: str,
    quick: List[str],
    bot: List[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(Encoder, "encode")
    assert main([*quick, *bot, *extra]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.splitlines()
    assert line.startswith("rasa-tokprune evaluate: ")
    assert message in line


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ([], "give either --train and --test"),
        (["x train.yml"], "--task takes NAME TRAIN TEST [OOS], got 2 values"),
        (["x train.yml test.yml", "x train.yml test.yml"], "there are 2 tasks called 'x'"),
        (["../x train.yml test.yml"], "the name '../x' cannot be a folder's"),
        (["x train.yml broken.yml"], "'broken.yml', line 1 is not YAML"),
        (["x empty.yml test.yml"], "'empty.yml' holds no example with an intent"),
        (["x train.yml test.yml blank.txt"], "'blank.txt' holds no out-of-scope message"),
        (["x train.yml test.yml binary.txt"], "'binary.txt' is not a text file"),
    ],
)
def test_wrong_tasks(
    tasks: List[str],
    message: str,
    quick: List[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    refusal: Callable[[List[str]], str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, intents in {"train": TRAIN, "test": {"hello": HELLO}, "empty": {}}.items():
        write_nlu(tmp_path / f"{name}.yml", intents)
    Path("broken.yml").write_text("nlu: [")
    Path("blank.txt").write_text(" \n\n")
    Path("binary.txt").write_bytes(b"\xff\xfe\x00")
    given = [part for task in tasks for part in ("--task", *task.split())]
    assert message in refusal([*quick, *given])


def test_only_a_train_file(
    quick: List[str],
    bot: List[str],
    refusal: Callable[[List[str]], str],
) -> None:
    assert "--test is missing" in refusal([*quick, *bot[:2]])


def test_same_name_for_two_models(tmp_path: Path) -> None:
    for parent in ("a", "b"):
        (tmp_path / parent / "bert").mkdir(parents=True)
    models = [str(tmp_path / parent / "bert") for parent in ("a", "b")]
    with pytest.raises(ConfigError, match="two of them would be called 'bert'"):
        choose_encoders(models, ["off"], precision="auto", backend="auto")


def test_a_number_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["evaluate", "--min-accuracy", "high"])
    (line,) = capsys.readouterr().err.splitlines()
    assert "--min-accuracy: invalid float value: 'high'" in line


def test_the_command_line_alone_loads_nothing_heavy() -> None:
    code = "import sys, rasa_tokprune.cli; print(*sys.modules)"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    loaded = set(result.stdout.split())
    assert "rasa_tokprune.commands.evaluate.arguments" in loaded
    assert not loaded & {"rasa", "torch", "sklearn", "matplotlib"}
