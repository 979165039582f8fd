"""Runs a command: what is wrong with its input is one clear line, exit code 2."""

from __future__ import annotations

import argparse
import sys
from typing import Callable, Optional

from rasa_tokprune.errors import TokPruneError, os_error_line
from rasa_tokprune.terminal import printable

BAD_INPUT = 2


def run_command(
    name: str,
    function: Callable[[argparse.Namespace], Optional[int]],
    arguments: argparse.Namespace,
) -> int:
    """Returns a command's exit code; 2, with one line on stderr, if its input is wrong.

    Args:
        name: As the user called it; stands in front of the line.
        function: The command; None as its result counts as 0.
        arguments: What it gets.
    """
    try:
        return function(arguments) or 0
    except TokPruneError as error:
        line = " ".join(str(error).split())
    except OSError as error:
        line = os_error_line(error)
    print(f"{name}: {printable(line)}", file=sys.stderr)
    return BAD_INPUT
