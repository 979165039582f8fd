"""Where a user's permission ends; root's does not, so a user is made up."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rasa_tokprune.encoder.checkpoint import access
from rasa_tokprune.encoder.checkpoint.access import denial, first_denied


@pytest.fixture(autouse=True)
def _no_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Goes by the owner's bits alone, as for anybody but root."""

    def may(path: Any, mode: int) -> bool:
        return (stat.S_IMODE(os.stat(path).st_mode) >> 6) & mode == mode

    monkeypatch.setattr(os, "access", may)


def test_what_may_be_read_and_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file", tmp_path / "new", tmp_path / "new" / "below"):
        assert first_denied(path) is None
        assert first_denied(path, write=True) is None


def test_the_folder_that_ends_it_is_named(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    (tmp_path / "a").chmod(0o600)  # may be listed, not entered
    try:
        assert first_denied(inner / "file") == tmp_path / "a"
    finally:
        (tmp_path / "a").chmod(0o700)
    (inner / "file").chmod(0o200)
    assert first_denied(inner / "file") == inner / "file"
    (inner / "file").chmod(0o400)
    assert first_denied(inner / "file") is None
    assert first_denied(inner / "file", write=True) == inner / "file"


def test_what_is_not_there_needs_the_folder_above(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        assert first_denied(tmp_path / "new" / "below") is None
        assert first_denied(tmp_path / "new" / "below", write=True) == tmp_path
    finally:
        tmp_path.chmod(0o700)


def test_a_path_that_may_not_even_be_asked_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = os.stat

    def ask(path: Any, **settings: Any) -> os.stat_result:
        if Path(path) == tmp_path / "x":
            raise PermissionError(13, "Permission denied", str(path))
        return original(path, **settings)

    monkeypatch.setattr(os, "stat", ask)
    assert first_denied(tmp_path / "x" / "y") == tmp_path
    assert denial(tmp_path / "x") == f"'{tmp_path / 'x'}': permission denied"


def test_whose_it_is_and_who_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access, "_name_of", lambda number: f"user {number}")
    tmp_path.chmod(0o750)
    assert denial(tmp_path) == (
        f"'{tmp_path}': permission denied; it belongs to user {os.geteuid()} (rwxr-x---), "
        f"this user is user {os.geteuid()}"
    )
    system = SimpleNamespace(f_flag=os.ST_RDONLY)
    monkeypatch.setattr(os, "statvfs", lambda _: system)
    assert denial(tmp_path, write=True) == f"'{tmp_path}': read-only file system"


def test_a_number_without_a_name() -> None:
    assert access._name_of(0) == "root"
    assert access._name_of(3_999_999) == "3999999"
