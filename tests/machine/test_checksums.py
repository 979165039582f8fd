"""Shipped binaries are compared with what was recorded when they were built."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import rasa_tokprune
from native_builds import checksums
from rasa_tokprune.encoder.adapters.resolve import shipped_adapters
from rasa_tokprune.encoder.backends.builds import runnable_builds
from rasa_tokprune.encoder.backends.native import library
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.checksums import (
    CHECKSUM_FILE,
    _recorded,
    changed_file,
    check_shipped,
    write_checksums,
)

ADAPTERS = Path(rasa_tokprune.__file__).parent / "encoder" / "adapters" / "shipped"
EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # printf '' | sha256sum


def test_the_record_has_the_form_of_sha256sum() -> None:
    digest = hashlib.sha256(b"code").hexdigest()
    assert checksums({"b.so": b"code", "a.so": b""}) == f"{EMPTY}  a.so\n{digest}  b.so\n"


@pytest.mark.parametrize("mark", ["  ", " *"])
def test_a_file_that_is_as_recorded_passes(tmp_path: Path, mark: str) -> None:
    (tmp_path / "a.so").touch()
    (tmp_path / CHECKSUM_FILE).write_text(f"{EMPTY}{mark}a.so\n")
    check_shipped(tmp_path / "a.so")


def test_another_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.so").write_bytes(b"other code")
    (tmp_path / CHECKSUM_FILE).write_text(checksums({"a.so": b""}))
    with pytest.raises(ConfigError, match="is not the file that was built") as error:
        check_shipped(tmp_path / "a.so")
    assert "\n" not in str(error.value)
    assert "install the package again" in str(error.value)
    assert "sha256sum" in str(error.value)


def test_what_has_no_record_was_built_by_hand(tmp_path: Path) -> None:
    check_shipped(tmp_path / "own.so")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / CHECKSUM_FILE).write_text(checksums({"a.so": b""}))
    check_shipped(tmp_path / "more" / "own.so")


def test_a_record_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    (tmp_path / CHECKSUM_FILE).write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is damaged"):
        check_shipped(tmp_path / "a.so")


def test_a_folder_says_which_file_has_changed(tmp_path: Path) -> None:
    assert changed_file(tmp_path) is None, "nothing is recorded"
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)
    write_checksums(tmp_path, ["b", "a"])
    assert changed_file(tmp_path) is None
    (tmp_path / "b").write_text("B")
    assert changed_file(tmp_path) == "b"


def test_a_library_is_compared_before_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds = list(runnable_builds().values())
    if not builds:
        pytest.skip("no build of the C library here")
    content = builds[0].read_bytes()
    path = tmp_path / builds[0].name
    path.write_bytes(content)
    (tmp_path / CHECKSUM_FILE).write_text(checksums({path.name: content}))
    assert library._load(path).tokprune_version() > 0
    tampered = tmp_path / "tampered" / path.name
    tampered.parent.mkdir()
    tampered.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    (tampered.parent / CHECKSUM_FILE).write_text(checksums({path.name: content}))
    monkeypatch.setattr(library.ctypes, "CDLL", lambda _: pytest.fail("its code was run"))
    with pytest.raises(ConfigError, match="is not the file that was built"):
        library._load(tampered)


def test_every_shipped_adapter_is_recorded() -> None:
    assert {f"{name}.safetensors" for name in shipped_adapters()} == set(_recorded(ADAPTERS))
    for name in shipped_adapters():
        check_shipped(ADAPTERS / f"{name}.safetensors")
