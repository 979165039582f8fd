"""Opens a trained Rasa model where Rasa is installed. Imports nothing heavy before."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Iterator

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.extras import is_installed

if TYPE_CHECKING:
    from rasa_tokprune.commands.trained_model.model import TrainedModel


def require_rasa(otherwise: str = "") -> None:
    """Raises ConfigError if Rasa is not installed.

    Args:
        otherwise: A sentence on what can be done without it.
    """
    if not is_installed("rasa"):
        rest = f". {otherwise}" if otherwise else ""
        raise ConfigError(
            "a trained model runs in Rasa, which is not installed here; Rasa Open Source is for "
            f"Python 3.10: install rasa-tokprune there{rest}"
        )


@contextlib.contextmanager
def open_model(path: Path, option: str = "--model") -> Iterator[TrainedModel]:
    """Yields a trained model; what it was unpacked to is removed in the end.

    The bot's own components are found in the working folder, as `rasa shell` finds them. Rasa's
    log and warnings are silent as long as a model is open: they hold messages of users.

    Args:
        path: A model archive, or a folder whose newest archive is taken.
        option: Named in errors.

    Raises:
        ConfigError: If Rasa is not installed or there is no such model.
        StorageError: If the model cannot be used here.
    """
    require_rasa()
    with _silence():
        from rasa_tokprune.commands.trained_model.model import unpacked

        if os.getcwd() not in sys.path:
            sys.path.insert(1, os.getcwd())
        with unpacked(path, option) as model:
            yield model


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    before = logging.root.manager.disable
    with warnings.catch_warnings():
        # Rasa's imports deprecate one another, and it warns of messages, one by one. They also
        # set filters of their own, so a filter would not last.
        warnings.showwarning = _show_nothing
        logging.disable(logging.ERROR)  # Rasa logs what it raises
        try:
            yield
        finally:
            logging.disable(before)


def _show_nothing(*_: object, **__: object) -> None:
    pass
