"""Files of results: tried before the work, whole or not there; JSON in a line."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import numpy as np
import pytest

from rasa_tokprune.commands.output import json_text, prepare_file, whole_file
from rasa_tokprune.errors import ConfigError


def test_a_file_of_results_is_tried_before_the_work(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    prepare_file("--out", tmp_path / "new" / "out.txt", log)
    assert (tmp_path / "new").is_dir()
    prepare_file("--out", None, log)
    with pytest.raises(ConfigError, match="--out: '.*' is a folder; name a file"):
        prepare_file("--out", tmp_path, log)
    prepare_file("--out", log, log)  # neither is there
    log.write_text("hello")
    (tmp_path / "link").symlink_to(log)
    with pytest.raises(ConfigError, match="--out: '.*link' is what is read; name another file"):
        prepare_file("--out", tmp_path / "link", None, "-", str(log))
    with pytest.raises(ConfigError, match="--out: cannot write to '.*log.txt'"):
        prepare_file("--out", log / "out.txt")


def test_a_file_has_its_name_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    with whole_file(path, "--out") as file:
        file.write("one\n")
        assert not path.exists()
    assert path.read_bytes() == b"one\n"
    with contextlib.suppress(KeyboardInterrupt), whole_file(path, "--out") as file:
        file.write("two\n")
        raise KeyboardInterrupt
    assert path.read_bytes() == b"one\n"
    assert (tmp_path / "out.txt.part").read_bytes() == b"two\n"


def test_only_what_the_file_refuses_is_told_of_it(tmp_path: Path) -> None:
    missing = whole_file(tmp_path / "no" / "out.txt", "--out")
    with pytest.raises(ConfigError, match="--out: '.*' cannot be written: No such file"), missing:
        pass
    with pytest.raises(BrokenPipeError), whole_file(tmp_path / "out.txt", "--out"):
        raise BrokenPipeError  # of a progress bar, say


@pytest.mark.parametrize(
    ("encoding", "shown"), [("utf-8", '"caf\xe9"'), ("ascii", '"caf\\u00e9"'), ("latin-1", None)]
)
def test_json_escapes_what_an_encoding_lacks(encoding: str, shown: str | None) -> None:
    text = json_text("caf\xe9", encoding)
    assert text == shown or (shown is None and "\xe9" in text)
    for value in ("\ud800", "\u20ac\n", {"a": [1, None]}):
        line = json_text(value, encoding)
        line.encode(encoding)
        assert "\n" not in line
        assert json.loads(line) == value


def test_numbers_of_numpy_are_numbers() -> None:
    assert json.loads(json_text({"a": np.float32(0.5), "b": np.arange(2)})) == {
        "a": 0.5,
        "b": [0, 1],
    }
    with pytest.raises(ConfigError, match="a value of type 'set' cannot become JSON"):
        json_text({1})
