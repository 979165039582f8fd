"""The `rasa-tokprune` command: every command's name, arguments and home."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
from typing import Callable, Dict, Optional, Sequence, Tuple

from rasa_tokprune import __version__
from rasa_tokprune.commands.adapt.arguments import add_adapt
from rasa_tokprune.commands.bench.arguments import add_bench
from rasa_tokprune.commands.certify.arguments import add_certify
from rasa_tokprune.commands.evaluate.arguments import add_evaluate
from rasa_tokprune.commands.explain.arguments import add_explain
from rasa_tokprune.commands.export.arguments import add_export
from rasa_tokprune.commands.report.arguments import add_report
from rasa_tokprune.commands.run import BAD_INPUT, run_command
from rasa_tokprune.extras import require
from rasa_tokprune.terminal import print_anything

_PROGRAM = "rasa-tokprune"


@dataclasses.dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        text: What it does, for `--help`.
        home: Module with `run(arguments)`, imported when it is called: `--help` answers at once.
        add_arguments: Adds its arguments; None if it has none.
        needs: Libraries of an extra that it cannot do without; `--help` can.
    """

    text: str
    home: str
    add_arguments: Optional[Callable[[argparse.ArgumentParser], None]] = None
    needs: Tuple[str, ...] = ()


_HOMES = "rasa_tokprune.commands"
COMMANDS: Dict[str, Command] = {
    "plans": Command("list the shipped pruning plans", f"{_HOMES}.plans"),
    "evaluate": Command(
        "accuracy and trust on labelled messages", f"{_HOMES}.evaluate.command", add_evaluate
    ),
    "adapt": Command(
        "train an adapter for a pruning plan", f"{_HOMES}.adapt.command", add_adapt, ("torch",)
    ),
    "export": Command(
        "write adapted weights as an ordinary checkpoint", f"{_HOMES}.export.command", add_export
    ),
    "certify": Command(
        "bound how often a plan changes what the bot does", f"{_HOMES}.certify.command", add_certify
    ),
    "explain": Command(
        "why a trained model answers as it does", f"{_HOMES}.explain.command", add_explain
    ),
    "report": Command(
        "one page about a bot: how good, what to mend", f"{_HOMES}.report.command", add_report
    ),
    "bench": Command(
        "time plans and backends on your messages, here", f"{_HOMES}.bench.command", add_bench
    ),
}


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    print_anything()
    # Keeps TensorFlow, which Rasa imports, from telling of missing GPUs.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    parser = argparse.ArgumentParser(
        prog=_PROGRAM, description="Token-pruned sentence encoders for Rasa."
    )
    parser.add_argument("--version", action="version", version=f"{_PROGRAM} {__version__}")
    parsers = parser.add_subparsers(dest="command")
    for name, command in COMMANDS.items():
        own = parsers.add_parser(name, help=command.text)
        if command.add_arguments is not None:
            command.add_arguments(own)
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        parser.print_help()
        return BAD_INPUT
    return run_command(f"{_PROGRAM} {parsed.command}", _run, parsed)


def _run(arguments: argparse.Namespace) -> Optional[int]:
    """Imports a command and runs it; raises ConfigError if it lacks a library."""
    command = COMMANDS[arguments.command]
    for library in command.needs:
        require(library, f"'{arguments.command}'")
    result: Optional[int] = importlib.import_module(command.home).run(arguments)
    return result
