"""How an attempt ended: it worked, it was refused in one line, or something else came out."""

from __future__ import annotations

import traceback
from typing import Any, Callable, Dict, NamedTuple, Tuple, Type

from rasa.shared.exceptions import RasaException

from rasa_tokprune.errors import TokPruneError

TAKEN, REFUSED, FOREIGN = "taken", "refused", "finding"
# Values stand in it as they were given.
_LONGEST_LINE = 10_000


class Ending(NamedTuple):
    """How an attempt ended, what was said, and the file that raised what should not come out."""

    kind: str
    said: str = ""
    where: str = ""
    value: Any = None

    def row(self) -> Dict[str, str]:
        """Returns what a row says of it."""
        return {"said": self.said[:400], "where": self.where}


def ending(
    attempt: Callable[[], Any],
    own: Tuple[Type[BaseException], ...] = (TokPruneError,),
    *,
    longest: int = _LONGEST_LINE,
) -> Ending:
    """Returns how an attempt ended.

    Args:
        attempt: Called once.
        own: What a refusal may be.
        longest: Characters of its one line at most; 0 leaves how it is written to others.
    """
    try:
        return Ending(TAKEN, value=attempt())
    except own as error:
        said = _said(error)
        if longest and (len(said.splitlines()) != 1 or len(said) > longest):
            return Ending(FOREIGN, f"{len(said)} characters, not one line: {said}", _where(error))
        return Ending(REFUSED, said)
    except Exception as error:
        return Ending(FOREIGN, f"{type(error).__name__}: {_said(error)}", _where(error))


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as another:  # Rasa's error of a wrong file cannot always be written
        return f"{type(error).__name__}, which raises {type(another).__name__} when it is written"


def of_component(attempt: Callable[[], Any]) -> Ending:
    """Returns how an attempt with a component ended; it may raise Rasa's errors too."""
    return ending(attempt, (RasaException, TokPruneError))


def _where(error: BaseException) -> str:
    """Returns file and function that raised, and the last of this package on the way there."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if "/rasa_tokprune/" in frame.filename]
    chosen = [*own[-1:], *frames[-1:]]
    names = [f"{frame.filename.split('/')[-1]}:{frame.name}" for frame in chosen]
    return " > ".join(dict.fromkeys(names))
