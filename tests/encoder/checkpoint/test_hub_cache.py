"""Models in the Hugging Face hub's cache: found, completed, refused."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, List

import huggingface_hub
import numpy as np
import pytest

from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.errors import CheckpointError, NotDownloadedError

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def cache(tmp_path: Path, tiny_bert: Path) -> Path:
    """Returns a hub cache that holds someone/tiny at one commit, called main and v1."""
    root = tmp_path / "hub"
    model = root / "models--someone--tiny"
    shutil.copytree(tiny_bert, model / "snapshots" / COMMIT)
    (model / "refs").mkdir()
    for reference in ("main", "v1"):
        (model / "refs" / reference).write_text(COMMIT)
    return root


def snapshot(cache: Path) -> Path:
    return cache / "models--someone--tiny" / "snapshots" / COMMIT


@pytest.mark.parametrize("revision", [None, "main", "v1", COMMIT])
def test_cached_model_needs_no_network(cache: Path, tiny_bert: Path, revision: Any) -> None:
    cached = load_encoder("someone/tiny", cache_dir=str(cache), revision=revision)
    expected = load_encoder(str(tiny_bert)).encode(["where is my parcel"])
    np.testing.assert_array_equal(cached.encode(["where is my parcel"]), expected)


def test_unknown_revision_is_named(cache: Path) -> None:
    with pytest.raises(NotDownloadedError, match=r"'someone/tiny' \(revision 'v9'\)"):
        load_encoder("someone/tiny", cache_dir=str(cache), revision="v9")


@pytest.mark.parametrize(
    "missing", ["model.safetensors", "tokenizer.json", "1_Pooling/config.json"]
)
def test_half_a_model_counts_as_not_downloaded(cache: Path, missing: str) -> None:
    (snapshot(cache) / missing).unlink()
    with pytest.raises(NotDownloadedError, match="not complete in the hub's cache"):
        load_encoder("someone/tiny", cache_dir=str(cache))


def test_what_another_program_left_out_is_fetched(
    cache: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # transformers alone caches no modules.json: pooling and normalisation would be lost.
    (snapshot(cache) / "modules.json").unlink()
    original = huggingface_hub.snapshot_download
    calls: List[bool] = []

    def download(*arguments: Any, local_files_only: bool = False, **options: Any) -> str:
        calls.append(local_files_only)
        if not local_files_only:
            shutil.copy(tiny_bert / "modules.json", snapshot(cache) / "modules.json")
        return original(*arguments, local_files_only=True, **options)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    assert load_encoder("someone/tiny", cache_dir=str(cache)).model.spec.normalize
    assert calls == [True, False]


def test_a_cache_that_may_not_be_read_is_not_a_model_that_is_missing(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> str:
        raise PermissionError(13, "Permission denied", str(cache))

    monkeypatch.setattr(huggingface_hub, "snapshot_download", refuse)
    with pytest.raises(CheckpointError, match="cannot be read: '.*hub': Permission denied"):
        load_encoder("someone/tiny", cache_dir=str(cache))


def deny(monkeypatch: pytest.MonkeyPatch, *folders: Path, write: bool = False) -> None:
    """Lets this user not read, or not write, some folders and what is in them."""
    access, exists = os.access, os.path.exists

    def is_below(path: Any) -> bool:
        return any(Path(path) == own or own in Path(path).parents for own in folders)

    def may(path: Any, mode: int, **settings: Any) -> bool:
        refused = bool(mode & os.W_OK) or not write
        return not (is_below(path) and refused) and access(path, mode, **settings)

    monkeypatch.setattr(os, "access", may)
    if not write:
        monkeypatch.setattr(os.path, "exists", lambda path: not is_below(path) and exists(path))


def test_a_cache_that_looks_empty_because_it_may_not_be_looked_at(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, cache)
    with pytest.raises(CheckpointError, match="cannot be read: '.*hub': permission denied; it be"):
        load_encoder("someone/tiny", cache_dir=str(cache), local_files_only=True)


def test_files_of_a_cached_model_that_may_not_be_read(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (snapshot(cache) / "config.json").unlink()  # as another's file looks to the hub's client
    deny(monkeypatch, snapshot(cache) / "tokenizer.json")
    with pytest.raises(CheckpointError, match=r"tokenizer.json': permission denied"):
        load_encoder("someone/tiny", cache_dir=str(cache), local_files_only=True)


def test_a_cache_that_may_not_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deny(monkeypatch, tmp_path, write=True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with pytest.raises(NotDownloadedError, match="to be downloaded, but .* permission denied; it"):
        load_encoder("someone/tiny", cache_dir=str(tmp_path / "new"))


def test_a_folder_that_may_not_be_read(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deny(monkeypatch, tiny_bert)
    with pytest.raises(CheckpointError, match=f"'{tiny_bert}' cannot be read: .*denied; it belo"):
        load_encoder(str(tiny_bert))
