"""Files of jobs are told apart by content; messages are read from YAML and from text."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.files import absolute, hash_files
from rasa_tokprune.texts.tasks import read_oos, read_texts
from tests.bots_on_disk import write_nlu


def test_a_hash_is_of_content_in_order(tmp_path: Path) -> None:
    for name, content in (("a", "1"), ("b", "2"), ("copy", "1")):
        (tmp_path / name).write_text(content)
    a, b, copy = (str(tmp_path / name) for name in ("a", "b", "copy"))
    assert hash_files([a]) == hash_files([copy]) != hash_files([b])
    assert hash_files([a, b]) != hash_files([b, a])
    assert hash_files([str(tmp_path)]) == hash_files([a, b, copy])
    assert hash_files([]) == ""
    with pytest.raises(ConfigError, match="none' cannot be read: No such file"):
        hash_files([str(tmp_path / "none")])


def test_names_of_what_is_not_here_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").mkdir()
    assert absolute("here") == str(tmp_path / "here")
    assert absolute("some/hub-id") == "some/hub-id"
    assert absolute("") == ""


def test_messages_of_both_kinds_of_file(tmp_path: Path) -> None:
    nlu = write_nlu(tmp_path / "data" / "nlu.yml", {"greet": ["hello", "hi"]})
    text = tmp_path / "log.txt"
    text.write_text(" hello \n\nhi\n", encoding="utf-8")
    assert read_texts(nlu) == read_texts(nlu.parent) == read_texts(text) == ["hello", "hi"]
    text.write_text("\n")
    assert read_texts(text) == []
    with pytest.raises(ConfigError, match="holds no out-of-scope message"):
        read_oos(text)
