"""What a check found."""

from __future__ import annotations

import dataclasses
from enum import Enum
from typing import Any, Dict, Optional

from rasa_tokprune.commands.doctor.codes import CODES


class Level(str, Enum):
    """How bad a finding is.

    OK: as it should be.
    NOTE: worth knowing; nothing has to be done.
    WARNING: something will work worse than it could, or not as it was meant.
    ERROR: something does not work.
    """

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    ERROR = "error"


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing a check found.

    Attributes:
        code: What it is, for programs: a key of `CODES`, which says family and level.
        text: What was found.
        advice: What to do; warnings and errors always say.
        file: Where, if in a file.
        line: In which line, from 1.
    """

    code: str
    text: str
    advice: str = ""
    file: Optional[str] = None
    line: Optional[int] = None

    def __post_init__(self) -> None:
        """Checks that the code is known and that what is wrong comes with advice."""
        if self.level in (Level.WARNING, Level.ERROR) and not self.advice:
            raise ValueError(f"finding '{self.code}' says what is wrong but not what to do")

    @property
    def family(self) -> str:
        """What it is about, a key of `FAMILIES`."""
        return CODES[self.code].family

    @property
    def level(self) -> Level:
        """How bad it is."""
        return Level(CODES[self.code].level)

    @property
    def place(self) -> str:
        """File and line, '' if it has none."""
        if self.file is None:
            return ""
        return self.file if self.line is None else f"{self.file}:{self.line}"

    def to_dict(self) -> Dict[str, Any]:
        """Returns it ready to become JSON; see docs/commands/doctor.md."""
        return {
            "family": self.family,
            "level": self.level.value,
            "code": self.code,
            "text": self.text,
            "advice": self.advice or None,
            "file": self.file,
            "line": self.line,
        }
