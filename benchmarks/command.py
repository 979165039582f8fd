"""What the measuring commands have in common: options, where rows go, errors of one line."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Callable, List, Optional, Sequence, Tuple

from benchmarks.tables import ROOT
from rasa_tokprune.commands.output import make_folder
from rasa_tokprune.commands.run import run_command
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.tasks import Task


def module_parser(file: str, description: Optional[str]) -> argparse.ArgumentParser:
    """Returns the parser of a module that is run with `python -m`.

    Args:
        file: The module's.
        description: The module's docstring; its first line is shown.
    """
    name = ".".join(Path(file).resolve().relative_to(ROOT).with_suffix("").parts)
    first, *_ = (description or "").splitlines()
    return argparse.ArgumentParser(prog=f"python -m {name}", description=first)


def measuring_parser(
    file: str, description: Optional[str], rows: str, *, is_resumed: bool = False
) -> argparse.ArgumentParser:
    """Returns the parser of a module that measures.

    Args:
        file: The module's.
        description: The module's docstring; its first line is shown.
        rows: Name of the file with its rows, which lies beside the module.
        is_resumed: Whether the file's rows are kept and not measured again.
    """
    parser = module_parser(file, description)
    held = "; what it holds is not measured again" if is_resumed else ""
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(file).resolve().with_name(rows),
        help=f"default: {rows} beside it{held}",
    )
    return parser


def run_measuring(
    parser: argparse.ArgumentParser,
    function: Callable[[argparse.Namespace], None],
    arguments: Optional[Sequence[str]],
) -> int:
    """Runs a command and returns its exit code: 2, with one line, if its input is wrong."""

    def measure(parsed: argparse.Namespace) -> None:
        make_folder("--out", parsed.out.parent)
        function(parsed)

    return run_command(parser.prog, measure, parser.parse_args(arguments))


def add_tasks(parser: argparse.ArgumentParser, *, has_oos: bool = False) -> None:
    """Adds `--task`, to be given once for each bot."""
    metavar: Tuple[str, ...] = ("NAME", "TRAIN", "TEST")
    parser.add_argument(
        "--task",
        nargs="+" if has_oos else len(metavar),
        action="append",
        required=True,
        metavar=("NAME", "TRAIN TEST [OOS]") if has_oos else metavar,
        help="training and test messages in Rasa YAML"
        + ("; out-of-scope messages, one a line" if has_oos else ""),
    )


def tasks_of(given: Sequence[Sequence[str]]) -> List[Task]:
    """Returns what `--task` named.

    Raises:
        ConfigError: If a file is missing.
    """
    for parts in given:
        if not 3 <= len(parts) <= 4:
            raise ConfigError(f"--task takes NAME TRAIN TEST [OOS], got {' '.join(parts)}")
    return [Task(name, *map(Path, paths)) for name, *paths in given]


def add_files(parser: argparse.ArgumentParser) -> None:
    """Adds labelled files, each with a name."""
    parser.add_argument("files", nargs="+", metavar="NAME=FILE", help="labelled messages")


def files_of(given: Sequence[str]) -> List[Tuple[str, Path]]:
    """Returns name and path of labelled files.

    Raises:
        ConfigError: If one has no name, or is missing.
    """
    found = []
    for entry in given:
        name, equals, path = entry.partition("=")
        if not (name and equals and Path(path).is_file()):
            raise ConfigError(f"expected NAME=FILE with a file that exists, got '{entry}'")
        found.append((name, Path(path)))
    return found
