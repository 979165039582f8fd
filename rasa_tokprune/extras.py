"""Libraries that not every installation has, and the extra of this package that brings each."""

from __future__ import annotations

import importlib.util
from typing import Dict

from rasa_tokprune.errors import ConfigError

# Importable name -> extra.
EXTRAS: Dict[str, str] = {
    "torch": "torch",
    "sentence_transformers": "torch",
    "onnxruntime": "onnx",
    "distributed": "distributed",
    "matplotlib": "plots",
    "prometheus_client": "metrics",
}


def is_installed(library: str) -> bool:
    """Returns whether a library can be imported here; does not import it."""
    return importlib.util.find_spec(library) is not None


def install_hint(library: str) -> str:
    """Returns the command that installs a library of EXTRAS."""
    return f"pip install 'rasa-tokprune[{EXTRAS[library]}]'"


def require(library: str, what: str, *, otherwise: str = "") -> None:
    """Raises ConfigError if a library is not installed.

    Args:
        library: One of EXTRAS.
        what: What needs it, as the user wrote it: "device 'cuda'".
        otherwise: What else the user can do.
    """
    if is_installed(library):
        return
    rest = f"; or {otherwise}" if otherwise else ""
    raise ConfigError(
        f"{what} needs {library}, which is not installed: {install_hint(library)}{rest}"
    )
