"""Errors that tell the user what is wrong, the value, what was expected and what to do."""

from __future__ import annotations

import difflib
from typing import Iterable


class TokPruneError(Exception):
    """Base class of every error this package raises on purpose; its message is one line."""

    def __str__(self) -> str:
        """Returns the message as one line, whatever line breaks the values in it hold."""
        return one_line(super().__str__())


class ConfigError(TokPruneError, ValueError):
    """A setting, a plan or an argument has a value that cannot work."""


class AdapterMisfitError(ConfigError):
    """An adapter was trained for another encoder."""


class CheckpointError(TokPruneError):
    """A model's files are missing, damaged, unsupported or not the ones expected."""


class DeniedError(CheckpointError):
    """This user may not read a model's files."""


class NotDownloadedError(CheckpointError):
    """A hub model is not on this machine, and downloading is not allowed or failed."""


class JobError(TokPruneError):
    """A job could not be run where it was sent; not an error of its own."""


class StorageError(TokPruneError):
    """Stored prototypes cannot be written, read, or do not belong to this encoder."""


def os_error_line(error: OSError) -> str:
    """Returns what the operating system refused: the path, if there is one, and the true reason."""
    named = f"'{error.filename}': " if error.filename is not None else ""
    return one_line(f"{named}{error.strerror or error}")


def one_line(text: str) -> str:
    """Returns a text with a blank for each line break."""
    return " ".join(text.splitlines())


def did_you_mean(name: str, valid: Iterable[str]) -> str:
    """Return ` Did you mean 'x'?` for the nearest valid name, or an empty string."""
    nearest = difflib.get_close_matches(name, list(valid), n=1, cutoff=0.5)
    return f" Did you mean '{nearest[0]}'?" if nearest else ""
