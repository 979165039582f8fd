"""Jobs for the tests; other processes import them from here."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Dict


def square(number: int) -> Dict[str, Any]:
    return {"square": number * number}


def leave_a_trace(number: int, folder: str, seconds: float) -> Dict[str, Any]:
    """Takes its time, and leaves a file for every process that began and that finished it."""
    (Path(folder) / f"begun-{number}-{os.getpid()}").touch()
    time.sleep(seconds)
    (Path(folder) / f"done-{number}-{os.getpid()}").touch()
    return {"number": number}


def fail(number: int) -> Dict[str, Any]:
    if number == 3:
        raise ValueError("three is too much")
    return {"number": number}


def fail_or_wait(number: int, seconds: float = 0.0) -> Dict[str, Any]:
    time.sleep(seconds)
    return fail(number)


def die(number: int) -> Dict[str, Any]:
    os._exit(number)
