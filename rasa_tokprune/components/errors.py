"""The core's errors as Rasa's, which its command line prints as one line."""

from __future__ import annotations

import contextlib
from typing import Iterator

from rasa.shared.exceptions import InvalidConfigException, RasaException

from rasa_tokprune.errors import ConfigError, TokPruneError, os_error_line


class TokPruneComponentError(RasaException):
    """A component cannot work: its model, its stored data or its machine is not as needed."""


@contextlib.contextmanager
def as_rasa_errors(component: str) -> Iterator[None]:
    """Turns the core's errors into Rasa's, with the component's name in front."""
    try:
        yield
    except ConfigError as error:
        raise InvalidConfigException(f"{component}: {error}") from error
    except TokPruneError as error:
        raise TokPruneComponentError(f"{component}: {error}") from error
    except OSError as error:  # a model's folder of another user, a full disk
        raise TokPruneComponentError(f"{component}: {os_error_line(error)}") from error
