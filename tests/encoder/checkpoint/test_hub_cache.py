"""Models in the Hugging Face hub's cache: found, completed, refused."""

from __future__ import annotations

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
