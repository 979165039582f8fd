"""What the machine is and keeps."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest

from rasa_tokprune.machine import stored
from rasa_tokprune.machine.cpu import cpu_features
from rasa_tokprune.machine.environment import environment, usable_cores
from rasa_tokprune.machine.stored import (
    CACHE_VARIABLE,
    is_stored,
    nothing_stored,
    store,
    stored_path,
)
from rasa_tokprune.machine.threads import SANIC_WORKERS, available_threads


def test_the_environment_tells_processor_cores_and_versions() -> None:
    found = environment()
    assert found["cores"] == len(usable_cores()) >= 1
    assert found["versions"]["rasa-tokprune"]
    assert set(found["flags"]) <= cpu_features()


def test_threads_are_shared_out_among_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SANIC_WORKERS, raising=False)
    assert available_threads() == len(usable_cores())
    monkeypatch.setenv(SANIC_WORKERS, "1000")
    assert available_threads() == 1


def test_a_file_is_kept_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    path = stored_path("weights/one")
    assert path == tmp_path / "cache" / "weights" / "one"
    assert not is_stored(path)
    assert store(b"content", path)
    assert is_stored(path)
    assert path.read_bytes() == b"content"
    assert os.listdir(path.parent) == ["one"]


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_what_a_killed_process_had_begun_is_removed_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "_UNLOCKED_S", 0.0)

    def die(*_: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        stored.os.replace = die  # type: ignore[assignment]
        store(b"content", tmp_path / "one")
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    (left,) = os.listdir(tmp_path)
    assert left.endswith(".partial"), "nothing has the name of the whole file"
    assert store(b"other", tmp_path / "two")
    assert os.listdir(tmp_path) == ["two"]


@pytest.mark.skipif(sys.platform == "win32", reason="no locks there")
def test_what_another_process_is_writing_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stored, "_UNLOCKED_S", 0.0)
    with (tmp_path / ".busy.partial").open("wb") as file:
        stored._lock(file)
        assert store(b"content", tmp_path / "one")
        assert sorted(os.listdir(tmp_path)) == [".busy.partial", "one"]
    assert store(b"content", tmp_path / "one")
    assert os.listdir(tmp_path) == ["one"]


def test_what_cannot_be_kept_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert not store(b"content", tmp_path / "file" / "below")
    assert not store(b"content", None)


def test_who_only_looks_keeps_nothing(tmp_path: Path) -> None:
    with nothing_stored():
        assert not store(b"content", tmp_path / "one")
    assert list(tmp_path.iterdir()) == []
    assert store(b"content", tmp_path / "one")
