"""`rasa-tokprune doctor`: what it shows, its exit code, and that it leaves no trace."""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Sequence

import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.commands.doctor import command
from rasa_tokprune.commands.doctor.arguments import add_doctor
from rasa_tokprune.commands.doctor.case import Case
from rasa_tokprune.commands.doctor.checks import timing
from rasa_tokprune.commands.doctor.codes import CODES, FAMILIES
from rasa_tokprune.commands.doctor.findings import Finding
from tests.bots_on_disk import TRAIN
from tests.commands.doctor.conftest import CLASSIFIER, FALLBACK, Found, expect
from tests.real_data import ROOT

DOCUMENT = ROOT / "docs" / "commands" / "doctor.md"
QUICK = ("--fast", "--no-timing")
LOW = {**FALLBACK, "threshold": 0.3}


def test_every_code_is_documented_with_its_level() -> None:
    rows = re.findall(r"^\| `([a-z][a-z-]+)` \| (\w+) \| ", DOCUMENT.read_text(), re.MULTILINE)
    assert dict(rows) == {code: own.level for code, own in CODES.items()}
    assert len(rows) == len(CODES)


def test_every_option_is_documented() -> None:
    parser = argparse.ArgumentParser(prog="doctor", add_help=False)
    add_doctor(parser)
    options = {name for action in parser._actions for name in action.option_strings or ["BOT"]}
    rows = re.findall(r"^\| `(BOT|--[a-z-]+)", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(options)


def test_every_code_has_a_test() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [code for code in CODES if f'"{code}"' not in tests] == []


def test_what_is_wrong_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="'model-missing' says what is wrong but not what to do"):
        Finding("model-missing", "not here")
    with pytest.raises(KeyError):
        Finding("no-such-code", "text", "advice")


def test_findings_are_shown_by_family(
    write_bot: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_bot([{"name": CLASSIFIER}, LOW])
    assert main(["doctor", str(folder), *QUICK]) == 0
    out = capsys.readouterr().out
    lines = out.splitlines()
    headings = [line for line in lines if line in FAMILIES.values()]
    assert headings == [name for name in FAMILIES.values() if name in headings]
    (number,) = [n for n, line in enumerate(lines) if "[fallback-threshold]" in line]
    assert re.match(r"  warning config.yml:\d+: threshold of FallbackClassifier", lines[number])
    assert lines[number + 1] == (
        "          do: Set threshold: 0.5; how much is rejected is said by "
        "target_in_scope_rejection of TokPruneIntentClassifier"
    )
    assert re.fullmatch(r"0 errors, \d+ warnings?, \d+ notes?, \d+ ok", lines[-1])
    assert main(["doctor", str(folder), *QUICK]) == 0
    assert capsys.readouterr().out == out


def test_quiet_shows_what_is_not_ok(
    write_bot: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["doctor", str(write_bot([{"name": CLASSIFIER}, LOW])), *QUICK, "--quiet"])
    out = capsys.readouterr().out
    assert "fallback-threshold" in out
    assert "  ok " not in out


def test_many_of_a_kind_are_counted(
    write_bot: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(write_bot(nlu={**TRAIN, **{f"one{n}": [f"number {n}"] for n in range(5)}}))
    main(["doctor", folder, *QUICK])
    out = capsys.readouterr().out
    assert out.count("has one example") == 3
    assert "          and 2 more of [intent-one-example]: --all\n" in out
    assert out.count("do: Write 4 more, as users would say it") == 1
    main(["doctor", folder, *QUICK, "--all"])
    assert capsys.readouterr().out.count("has one example") == 5


def test_json_has_one_object_a_finding(
    write_bot: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["doctor", str(write_bot([{"name": CLASSIFIER}, LOW])), *QUICK, "--json"])
    findings: List[Dict[str, Any]] = list(map(json.loads, capsys.readouterr().out.splitlines()))
    keys = ["family", "level", "code", "text", "advice", "file", "line"]
    assert all(list(each) == keys for each in findings)
    order = list(FAMILIES)
    families = [each["family"] for each in findings]
    assert families == sorted(families, key=order.index)
    documented = re.findall(r"^\| `(\w+)` \| (?:text|number|whole)", DOCUMENT.read_text(), re.M)
    assert documented == keys


def test_exit_codes(write_bot: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_CHECKS", ())
    bot = write_bot(domain={"intents": sorted(TRAIN)})
    assert main(["doctor", str(bot), *QUICK, "--strict"]) == 0
    assert main(["doctor", str(write_bot([{"name": CLASSIFIER}, LOW])), *QUICK]) == 0
    assert main(["doctor", str(bot), *QUICK, "--strict"]) == 1
    assert main(["doctor", str(write_bot([{"name": CLASSIFIER, "prun": 1}])), *QUICK]) == 1


@pytest.mark.parametrize("option", ["--config", "--domain", "--data"])
def test_what_is_named_must_be_there(
    option: str, tmp_path: Path, refusal: Callable[[Sequence[str]], str]
) -> None:
    line = refusal(["doctor", str(tmp_path), option, str(tmp_path / "no.yml")])
    assert line.endswith(f"{option}: '{tmp_path}/no.yml' is not there")
    assert "is no folder; give the folder" in refusal(["doctor", str(tmp_path / "no")])


def test_without_a_bot_the_installation_is_looked_at(
    look: Callable[..., Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = look(None, whole=True)
    assert {"python", "cpu", "cores", "folder"} <= set(found)
    assert {"model", "model-missing"} & set(found)
    assert not {"config", "config-missing", "data-missing", "data"} & set(found)


def test_here_counts_where_there_is_a_config(
    write_bot: Callable[..., Path], look: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_bot()
    monkeypatch.chdir(folder)
    expect(look(None), "config", "config.yml: 2 components")
    assert Path.cwd() == folder


def test_other_files_can_be_named(
    write_bot: Callable[..., Path], look: Callable[..., Found], tmp_path: Path
) -> None:
    folder = write_bot()
    (tmp_path / "other.yml").write_text("pipeline:\n- name: KeywordIntentClassifier\n")
    found = look(folder, "--config", str(tmp_path / "other.yml"))
    expect(found, "config", f"{tmp_path}/other.yml: 1 components")


def test_a_check_that_breaks_keeps_no_other_from_speaking(
    look: Callable[..., Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check_nothing(case: Case) -> Iterator[Finding]:
        yield Finding("python", "first")
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(command, "_CHECKS", (check_nothing,))
    found = look(tmp_path, whole=True)
    expect(found, "check-failed", "check_nothing broke: RuntimeError: two lines", "report this")
    assert "python" in found
    assert "config-missing" in found


def test_ten_messages_are_timed(
    write_bot: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["doctor", str(write_bot()), "--fast", "--json"]) == 0
    lines = map(json.loads, capsys.readouterr().out.splitlines())
    (text,) = [each["text"] for each in lines if each["code"] == "messages"]
    pattern = (
        r"9 messages of the bot encoded one at a time: median [\d.]+ ms, slowest [\d.]+ ms; .*"
    )
    assert re.fullmatch(pattern, text)
    assert len(timing._EXAMPLES) == 10


def _files(*folders: Path) -> Dict[str, float]:
    found = [each for folder in folders for each in folder.rglob("*")]
    return {str(each): each.stat().st_mtime for each in found}


def test_nothing_is_written(write_bot: Callable[..., Path], tmp_path: Path) -> None:
    folder, home = write_bot(), tmp_path / "home"
    home.mkdir()
    environment = {**os.environ, "HOME": str(home), "HF_HOME": str(home / "hf")}
    environment.pop("RASA_TOKPRUNE_CACHE", None)
    before = _files(folder, home)
    call = "import sys; from rasa_tokprune.cli import main; sys.exit(main())"
    result = subprocess.run(
        [sys.executable, "-c", call, "doctor", str(folder), "--fast"],
        env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "messages of the bot" in result.stdout
    assert _files(folder, home) == before


def test_without_rasa(
    write_bot: Callable[..., Path], look: Callable[..., Found], no_rasa: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setitem(sys.modules, "rasa", None)
    found = look(write_bot(), fast=False)
    assert "held-out" in found
    assert "check-failed" not in found
