"""Runs a command: what is wrong with its input is one clear line, exit code 2."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Callable, Optional

from rasa_tokprune.errors import TokPruneError, os_error_line
from rasa_tokprune.terminal import printable

BAD_INPUT = 2
# What a shell says of programs that a signal ended: Ctrl-C, and a reader that left early, such as
# `| head -1`.
STOPPED, PIPE_CLOSED = 130, 141


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
    return until_pipes_close(lambda: _run(name, function, arguments))


def _run(
    name: str,
    function: Callable[[argparse.Namespace], Optional[int]],
    arguments: argparse.Namespace,
) -> int:
    code = BAD_INPUT
    try:
        return function(arguments) or 0
    except TokPruneError as error:
        line = " ".join(str(error).split())
    except BrokenPipeError:
        raise
    except OSError as error:
        line = os_error_line(error)
    except KeyboardInterrupt:
        code, line = STOPPED, "stopped"
    print(f"{name}: {printable(line)}", file=sys.stderr)
    return code


def until_pipes_close(function: Callable[[], int]) -> int:
    """Returns a function's exit code; PIPE_CLOSED, without a word, if its readers left early."""
    try:
        try:
            return function()
        finally:  # here, and not when Python ends, which would tell of it
            for stream in (sys.stdout, sys.stderr):
                stream.flush()
    except BrokenPipeError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for stream in (sys.stdout, sys.stderr):
            os.dup2(nowhere, stream.fileno())
        return PIPE_CLOSED
