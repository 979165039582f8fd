"""Folders that training and serving read and write: whether this user may."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Iterator, Optional, Tuple

from rasa_tokprune.commands.doctor.case import Case, shown_path
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.components.config.encoder import EncoderSettings
from rasa_tokprune.encoder.checkpoint.access import denial, first_denied
from rasa_tokprune.encoder.checkpoint.find import OFFLINE_PACKAGES
from rasa_tokprune.encoder.checkpoint.hub import hub_cache
from rasa_tokprune.extras import is_installed
from rasa_tokprune.machine.stored import CACHE_VARIABLE, stored_path

_LET = "Let this user read and write it (chown, or a volume of its own)"


def check_caches(case: Case) -> Iterator[Finding]:
    """Yields which caches this user may use."""
    own = stored_path("")
    if own is None or not _has_home():
        yield Finding(
            "home-missing",
            f"this user (number {_uid()}) has no home folder: what is made from a model is made "
            f"anew at every start",
            f"Set HOME to a folder of this user, or {CACHE_VARIABLE}, HF_HOME and MPLCONFIGDIR, "
            f"without which Rasa does not start",
        )
    for name, path, advice in _folders(case, own):
        yield _use(name, path, advice)


def check_temporary(case: Case) -> Iterator[Finding]:
    """Yields whether there is a folder for temporary files, which Rasa cannot do without."""
    try:
        path = Path(tempfile.gettempdir())  # tries to write there and leaves nothing
    except OSError as error:
        yield Finding(
            "tmp-unwritable",
            f"no folder for temporary files: {error.strerror or error}; Rasa can neither train nor "
            f"load a model",
            "Set TMPDIR to a folder that this user may write",
        )
        return
    wanted = os.environ.get("TMPDIR")
    if wanted and Path(wanted).absolute() != path.absolute():
        yield Finding(
            "cache-unwritable",
            f"TMPDIR is '{wanted}', where this user cannot write; '{path}' is taken",
            "Set TMPDIR to a folder that this user may write",
        )
    else:
        yield Finding("folder", f"temporary files: '{path}', can be written")


def check_bot_folder(case: Case) -> Iterator[Finding]:
    """Yields whether `rasa train` may write the bot's models and its cache."""
    if not case.has_bot:
        return
    cache = Path(os.environ.get("RASA_CACHE_DIRECTORY", ".rasa/cache"))
    for name, path in (("models", Path("models")), ("Rasa's cache", cache)):
        denied = first_denied(path, write=True)
        if denied is not None:
            yield Finding(
                "bot-unwritable",
                f"{name}: {_cannot(denied, True)}; `rasa train` fails here",
                _LET + ", or train as another user",
                str(path),
            )


def _folders(case: Case, own: Optional[Path]) -> Iterator[Tuple[str, Path, str]]:
    """Yields name, path and what to do of each cache."""
    if own is not None:
        yield "8-bit weights", own, f"{_LET}, or set {CACHE_VARIABLE} to one it may use"
    hubs = {settings.cache_dir for _, settings in case.encoders() if _is_of_hub(settings)}
    for folder in sorted(hubs, key=str):
        advice = f"{_LET}, or set {'cache_dir' if folder else 'HF_HOME'} to one it may use"
        yield "models of the Hugging Face hub", hub_cache(folder), advice
    if is_installed("rasa") and is_installed("matplotlib"):
        base = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        path = Path(os.environ.get("MPLCONFIGDIR") or Path(base) / "matplotlib")
        yield "matplotlib, which Rasa loads", path, f"{_LET}, or set MPLCONFIGDIR"


def _use(name: str, path: Path, advice: str) -> Finding:
    """Returns what this user may do with a folder, which need not be there yet."""
    shown = shown_path(path)
    for write, code in ((False, "cache-unreadable"), (True, "cache-unwritable")):
        denied = first_denied(path, write=write)
        if denied is not None:
            text = f"{name}: {_cannot(denied, write)}"
            return Finding(code, text, advice, shown)
    if path.exists() and not path.is_dir():
        text = f"{name}: a file, not a folder; nothing is kept"
        return Finding("cache-no-folder", text, "Remove the file, or name another folder", shown)
    state = "can be read and written" if path.exists() else "not there yet, can be made"
    return Finding("folder", f"{name}: '{shown}', {state}")


def _cannot(denied: Path, write: bool) -> str:
    return f"cannot be {'written' if write else 'read'}: {denial(denied, write=write)}"


def _is_of_hub(settings: EncoderSettings) -> bool:
    """Returns whether an encoder is read from the hub's cache, not from a folder or a package."""
    package = OFFLINE_PACKAGES.get(settings.model)
    is_packaged = package is not None and settings.revision is None and is_installed(package[0])
    return not is_packaged and not Path(settings.model).expanduser().is_dir()


def _has_home() -> bool:
    try:
        return Path.home().is_dir()
    except (RuntimeError, OSError):
        return False


def _uid() -> int:
    return os.getuid() if hasattr(os, "getuid") else 0
