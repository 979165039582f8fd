"""The `rasa-tokprune` command: every command's name, arguments and home."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import os
from typing import Any, Callable, Dict, NoReturn, Optional, Sequence, Tuple

from rasa_tokprune import __version__
from rasa_tokprune.commands.adapt.arguments import add_adapt
from rasa_tokprune.commands.bench.arguments import add_bench
from rasa_tokprune.commands.certify.arguments import add_certify
from rasa_tokprune.commands.diff.arguments import add_diff
from rasa_tokprune.commands.doctor.arguments import add_doctor
from rasa_tokprune.commands.evaluate.arguments import add_evaluate
from rasa_tokprune.commands.explain.arguments import add_explain
from rasa_tokprune.commands.export.arguments import add_export
from rasa_tokprune.commands.parse.arguments import add_parse
from rasa_tokprune.commands.plans.arguments import add_plans
from rasa_tokprune.commands.report.arguments import add_report
from rasa_tokprune.commands.run import BAD_INPUT, run_command, until_pipes_close
from rasa_tokprune.errors import did_you_mean
from rasa_tokprune.extras import require
from rasa_tokprune.terminal import print_anything, printable

_PROGRAM = "rasa-tokprune"


@dataclasses.dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        text: What it does, for the list of commands.
        home: Module with `run(arguments)`, imported when it is called: `--help` answers at once.
        add_arguments: Adds its arguments.
        purpose: What one wants who calls it, of `PURPOSES`.
        example: A call of it, shown at the end of its `--help`.
        needs: Libraries of an extra that it cannot do without; `--help` can.
    """

    text: str
    home: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    purpose: str
    example: str
    needs: Tuple[str, ...] = ()


# Titles of the list of commands, in their order.
LOOK, MEASURE, CHOOSE, MAKE = PURPOSES = (
    "look at a bot",
    "measure a bot",
    "choose a pruning plan",
    "make an encoder of your own",
)
_HOMES = "rasa_tokprune.commands"
COMMANDS: Dict[str, Command] = {
    "doctor": Command(
        "what is wrong with an installation or a bot, and what to do",
        f"{_HOMES}.doctor.command", add_doctor, purpose=LOOK, example="rasa-tokprune doctor",
    ),
    "report": Command(
        "one page about a bot: how good, what to mend", f"{_HOMES}.report.command", add_report,
        purpose=LOOK, example="rasa-tokprune report data --out report.html",
    ),
    "explain": Command(
        "why a trained model answers as it does", f"{_HOMES}.explain.command", add_explain,
        purpose=LOOK, example='rasa-tokprune explain "can I pay by cheque?"',
    ),
    "parse": Command(
        "answer a file of messages as the bot does", f"{_HOMES}.parse.command", add_parse,
        purpose=LOOK, example="rasa-tokprune parse messages.txt --out answers.jsonl",
    ),
    "diff": Command(
        "what changes from one trained model to another", f"{_HOMES}.diff.command", add_diff,
        purpose=MEASURE, example="rasa-tokprune diff old.tar.gz new.tar.gz --log messages.txt",
    ),
    "evaluate": Command(
        "accuracy and trust on labelled messages", f"{_HOMES}.evaluate.command", add_evaluate,
        purpose=MEASURE,
        example="rasa-tokprune evaluate --train data --test tests/test_nlu.yml",
    ),
    "plans": Command(
        "list the shipped pruning plans", f"{_HOMES}.plans.command", add_plans,
        purpose=CHOOSE, example="rasa-tokprune plans",
    ),
    "bench": Command(
        "time plans and backends on your messages, here", f"{_HOMES}.bench.command", add_bench,
        purpose=CHOOSE, example="rasa-tokprune bench data --prune light balanced",
    ),
    "certify": Command(
        "bound how often a plan changes what the bot does", f"{_HOMES}.certify.command",
        add_certify, purpose=CHOOSE,
        example="rasa-tokprune certify --train data --log log.txt --prune light balanced",
    ),
    "adapt": Command(
        "train an adapter for a pruning plan", f"{_HOMES}.adapt.command", add_adapt, purpose=MAKE,
        example="rasa-tokprune adapt --prune my_plan.json --texts log.txt --out adapted",
        needs=("torch",),
    ),
    "export": Command(
        "write adapted weights as an ordinary checkpoint", f"{_HOMES}.export.command", add_export,
        purpose=MAKE, example="rasa-tokprune export --prune light --out adapted-encoder",
    ),
}  # fmt: skip


class _Help(argparse.HelpFormatter):
    """Leaves texts of several lines as they are."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return text if "\n" in text else super()._fill_text(text, width, indent)


class _Parser(argparse.ArgumentParser):
    """Refuses wrong arguments in one line, as commands do, instead of listing every option."""

    def error(self, message: str) -> NoReturn:
        """Ends the program with BAD_INPUT and one line that names the command and its help."""
        line = f"{self.prog}: {printable(message)}"
        end = "" if line.endswith("?") else "."
        self.exit(BAD_INPUT, f"{line}{end} '{self.prog} --help' says what it takes\n")

    # What is left over belongs to the command: argparse would only name the program.
    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Returns the arguments; there are no unknown ones."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            first, options = unknown[0], list(self._option_string_actions)
            kind = "option" if first.startswith("-") else "argument"
            guess = did_you_mean(first, options) if kind == "option" else ""
            self.error(f"unexpected {kind} '{first}'.{guess}".rstrip("."))
        return parsed, unknown


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    print_anything()
    # Keeps TensorFlow, which Rasa imports, from telling of missing GPUs.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    return until_pipes_close(lambda: _main(arguments))


def _main(arguments: Optional[Sequence[str]]) -> int:
    parser = _parser()
    parsed = parser.parse_args(arguments)
    if parsed.command is None:
        parser.print_help()
        return BAD_INPUT
    return run_command(f"{_PROGRAM} {parsed.command}", _run, parsed)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=_PROGRAM,
        usage="%(prog)s COMMAND [options]",
        description=_overview(),
        epilog="'rasa-tokprune COMMAND --help' tells of a command's options, with an example.",
        formatter_class=_Help,
    )
    parser.add_argument("--version", action="version", version=f"{_PROGRAM} {__version__}")
    parsers = parser.add_subparsers(dest="command", metavar="COMMAND", help=argparse.SUPPRESS)
    for name, command in COMMANDS.items():
        own = parsers.add_parser(name, prog=f"{_PROGRAM} {name}", formatter_class=_Help)
        command.add_arguments(own)
        own.epilog = f"example:\n  {command.example}"
    return parser


def _overview() -> str:
    """Returns the commands by what one wants, a line each."""
    lines = ["Token-pruned sentence encoders for Rasa."]
    for purpose in PURPOSES:
        lines += ["", f"{purpose}:"]
        lines += [
            f"  {name:<10}{command.text}"
            for name, command in COMMANDS.items()
            if command.purpose == purpose
        ]
    return "\n".join(lines)


def _run(arguments: argparse.Namespace) -> Optional[int]:
    """Imports a command and runs it; raises ConfigError if it lacks a library."""
    command = COMMANDS[arguments.command]
    for library in command.needs:
        require(library, f"'{arguments.command}'")
    from rasa_tokprune.commands.screen import Screen  # only here: `--help` answers at once

    with Screen.of(arguments).working("Loading"):
        home = importlib.import_module(command.home)
    result: Optional[int] = home.run(arguments)
    return result
