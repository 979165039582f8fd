"""The core's errors as Rasa's, which its command line prints as one line."""

from __future__ import annotations

import contextlib
from typing import Iterator

from rasa.shared.exceptions import InvalidConfigException, RasaException

from rasa_tokprune.errors import ConfigError, TokPruneError


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
