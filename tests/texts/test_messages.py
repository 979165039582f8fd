"""Files of messages: every line is one, whatever it holds."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any, List, Optional

import pytest

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.messages import Message, MessageFile


def write(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return str(path)


def texts_of(name: str, **settings: Any) -> List[str]:
    return [message.text for message in MessageFile(name, **settings).read()]


@pytest.mark.parametrize(
    ("content", "texts"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"hello", ["hello"]),
        (b"hello\n\nbye\r\n", ["hello", "", "bye"]),
        (b"\xef\xbb\xbfhello\n", ["hello"]),
        # What ends a line for Unicode, or for a terminal, is part of a message.
        ("a\u2028b\x0bc\rd\x85e\n".encode(), ["a\u2028b\x0bc\rd\x85e"]),
        (b"  padded \t\n", ["  padded \t"]),
        (b"a\x00b\n", ["a\x00b"]),
    ],
)
def test_a_line_is_a_message(tmp_path: Path, content: bytes, texts: List[str]) -> None:
    name = write(tmp_path / "log.txt", content)
    assert texts_of(name) == texts
    assert MessageFile(name).count() == len(texts)


def test_json_lines_keep_what_names_a_message(tmp_path: Path) -> None:
    rows = [{"id": 7, "text": "hi"}, {"text": "two\nlines"}, {"id": {"a": [1]}, "text": ""}]
    content = "\n\n".join(map(json.dumps, rows))
    name = write(tmp_path / "log.jsonl", content.encode())
    found = list(MessageFile(name).read())
    assert found == [Message("hi", 7), Message("two\nlines"), Message("", {"a": [1]})]
    assert texts_of(name, text_key="text", id_key="none") == ["hi", "two\nlines", ""]


def test_a_column_of_csv(tmp_path: Path) -> None:
    content = '\ufeffday,said,nr\n1,"hello, you",a\n\n2,"two\nlines ""quoted""",b\n'
    name = write(tmp_path / "log.csv", content.encode())
    found = list(MessageFile(name, text_key="said", id_key="nr").read())
    assert found == [Message("hello, you", "a"), Message('two\nlines "quoted"', "b")]
    assert MessageFile(name).count() is None


def test_a_csv_field_as_long_as_a_message_may_be(tmp_path: Path) -> None:
    name = write(tmp_path / "log.csv", b"text\n" + b"a" * 200_000 + b"\n")
    assert [len(text) for text in texts_of(name)] == [200_000]


@pytest.mark.parametrize(
    ("name", "content", "format_name", "says"),
    [
        ("log.txt", b"fine\n\xff\n", None, r"log.txt', line 2: no UTF-8"),
        ("log.jsonl", b'{"text": "a"}\n{"text"\n', None, "line 2: no JSON"),
        ("log.jsonl", b'"hello"\n', None, "line 1: expected an object"),
        ("log.jsonl", b'{"message": "a"}\n', None, "no key 'text', but 'message'; .*--text-key"),
        ("log.jsonl", b'{"text": 3}\n', None, "'text' must be text, got 3"),
        ("log.jsonl", b'{"text": "\\ud83d"}\n', None, "line 1: half of a surrogate pair"),
        ("log.csv", b"texts,id\na,1\n", None, "no column 'text', but 'texts', 'id'. Did you mean"),
        ("log.csv", b'text\n"open\n', None, "no CSV"),
        ("log.csv", b"id,text\n1\n", None, "line 2: 'text' must be text, got null"),
        ("nlu.yml", b"nlu: []\n", None, "is YAML; give messages as lines"),
        ("log.json", b"[]", None, "name it .jsonl"),
        ("log.txt", b"hi\n", "xml", "lines, jsonl, csv"),
    ],
)
def test_what_cannot_be_read_is_named(
    tmp_path: Path, name: str, content: bytes, format_name: Optional[str], says: str
) -> None:
    path = write(tmp_path / name, content)
    with pytest.raises(ConfigError, match=says):
        list(MessageFile(path, format_name).read())


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        MessageFile(str(tmp_path / "none")).count()
    with pytest.raises(ConfigError, match="cannot be read"):
        list(MessageFile(str(tmp_path)).read())


def test_no_more_is_read_than_is_asked_for(tmp_path: Path) -> None:
    name = write(tmp_path / "log.txt", b"hello\n" + b"\xff\n")
    assert next(MessageFile(name).read()) == Message("hello")


def test_a_pipe_is_not_read_twice(tmp_path: Path) -> None:
    name = tmp_path / "pipe"
    os.mkfifo(name)
    writer = threading.Thread(target=name.write_text, args=("hello\nbye\n",))
    writer.start()
    file = MessageFile(str(name))
    assert file.count() is None
    assert [message.text for message in file.read()] == ["hello", "bye"]
    writer.join()
