"""Only a line feed ends a message."""

from __future__ import annotations

from pathlib import Path

import pytest

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.lines import read_lines
from rasa_tokprune.texts.tasks import read_examples
from tests.bots_on_disk import write_nlu


def test_other_line_ends_are_part_of_a_message(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    inside = [f"one{end}two" for end in ("\u2028", "\u2029", "\x0b", "\x0c", "\x85", "\x1c", "\r")]
    path.write_bytes("\r\n".join([*inside, "", " last "]).encode())
    assert read_lines(path) == [*inside, "last"]


def test_a_byte_order_mark_is_no_message(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    path.write_bytes(b"\xef\xbb\xbfhello\nhi\n")
    assert read_lines(path) == ["hello", "hi"]
    path.write_bytes(b"\xef\xbb\xbf")
    assert read_lines(path) == []


def test_the_true_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none.txt' cannot be read: No such file"):
        read_lines(tmp_path / "none.txt")
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        read_lines(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not a text file in UTF-8"):
        read_lines(tmp_path / "binary")


def test_training_data_in_another_encoding_is_refused(tmp_path: Path) -> None:
    content = "nlu:\n- intent: order\n  examples: |\n    - a café, please\n"
    (tmp_path / "nlu.yml").write_bytes(content.encode("latin-1"))
    for path in (tmp_path, tmp_path / "nlu.yml"):
        with pytest.raises(ConfigError, match="nlu.yml' is not a text file in UTF-8.*save it"):
            read_examples(path)


def test_an_example_in_two_files_is_one(tmp_path: Path) -> None:
    write_nlu(tmp_path / "data" / "a.yml", {"greet": ["hello", "hi"], "bye": ["bye"]})
    write_nlu(tmp_path / "data" / "b.yml", {"greet": ["hi", "good morning"], "bye": ["hi"]})
    texts, labels, _ = read_examples(tmp_path / "data")
    pairs = sorted(zip(texts, labels))
    assert pairs == [
        ("bye", "bye"), ("good morning", "greet"), ("hello", "greet"), ("hi", "bye"),
        ("hi", "greet"),
    ]  # fmt: skip
