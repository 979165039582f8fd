"""NAME=FILE, a folder of files, and what is left out of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_tokprune.commands.adapt.named_files import named_files, without_named
from rasa_tokprune.errors import ConfigError

NAMED = (("banking", "b"), ("clinc", "c"), ("hwu", "h"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.yml", "a.yml", "readme.md"):
        (tmp_path / "sets" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "sets" / name).write_text("", encoding="utf-8")
    return tmp_path / "sets"


def test_a_folder_is_each_yaml_file_in_it(folder: Path) -> None:
    expected = (("a", str(folder / "a.yml")), ("b", str(folder / "b.yml")))
    assert named_files("--task", [str(folder)]) == expected
    one = (("c", str(folder / "b.yml")),)
    assert named_files("--task", [f"c={folder / 'b.yml'}", str(folder)]) == one + expected


def test_a_folder_with_a_name_is_one_task(folder: Path) -> None:
    assert named_files("--task", [f"bot={folder}"]) == (("bot", str(folder)),)


def test_paths_become_absolute(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert named_files("--judge", ["bot=a.yml"]) == (("bot", str(folder / "a.yml")),)
    # A file that is not there is another one's matter.
    assert named_files("--judge", ["bot=c=d.yml"]) == (("bot", str(folder / "c=d.yml")),)


@pytest.mark.parametrize("entry", ["bot", "bot=", "=a.yml", "missing-folder/"])
def test_what_is_neither_is_refused(entry: str) -> None:
    with pytest.raises(ConfigError, match=f"--task must be NAME=FILE .*; got '{entry}'"):
        named_files("--task", [entry])


def test_a_name_stands_once(folder: Path, tmp_path: Path) -> None:
    for given in (["x=a", "x=b"], [f"a={folder / 'b.yml'}", str(folder)], [str(folder)] * 2):
        with pytest.raises(ConfigError, match="each name once"):
            named_files("--task", given)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="or a folder of \\*.yml"):
        named_files("--task", [str(tmp_path / "empty")])


def test_what_is_left_out() -> None:
    assert without_named("--leave", NAMED, ["clinc"]) == (NAMED[0], NAMED[2])
    assert without_named("--leave", NAMED, ["hwu", "banking"]) == (NAMED[1],)
    assert without_named("--leave", NAMED, []) == NAMED


def test_a_name_that_is_none_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="--leave: no --task 'bankin'.*'banking'"):
        without_named("--leave", NAMED, ["clinc", "bankin"])
    with pytest.raises(ConfigError, match="--leave: no --task 'x'"):
        without_named("--leave", (), ["x"])
