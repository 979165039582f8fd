"""The arguments that several commands have, described once. Imports nothing heavy."""

from __future__ import annotations

import argparse
import math
from typing import Optional, Union

from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.errors import ConfigError

# A parser, or a group of its arguments.
Arguments = Union[argparse.ArgumentParser, argparse._ArgumentGroup]

# Titles of the groups of a command's options, in the order in which `--help` shows them.
DATA, ENCODER, DECISIONS, TRAINING, SEARCH, RUNNING, RESULTS, LIMITS = (
    "data",
    "encoder",
    "decisions",
    "training",
    "search",
    "running",
    "results",
    "gates",
)
GROUPS = (DATA, ENCODER, DECISIONS, TRAINING, SEARCH, RUNNING, RESULTS, LIMITS)

_MODEL = f"folder or hub id of an encoder; default: the components' ({DEFAULT_MODEL})"
_PLAN = "a shipped plan's name, a plan file ending in .json, or off"


def add_model(parser: Arguments, *, several: bool = False) -> None:
    """Adds `--model`, or `--models`, whose default is an empty list."""
    if several:
        parser.add_argument("--models", nargs="+", default=[], metavar="MODEL", help=_MODEL)
    else:
        parser.add_argument("--model", default=DEFAULT_MODEL, metavar="MODEL", help=_MODEL)


def add_prune(
    parser: Arguments, about: str, *, several: bool = False, required: bool = False
) -> None:
    """Adds `--prune`.

    Args:
        parser: Where to.
        about: What the command does with plans; stands in front of what a plan may be.
        several: Whether it takes any number of plans; the default is then an empty list.
        required: Whether it has to be given.
    """
    parser.add_argument(
        "--prune",
        nargs="+" if several else None,
        default=[] if several else None,
        required=required,
        metavar="PLAN",
        help=f"{about}: {_PLAN}",
    )


def add_adapter(parser: Arguments) -> None:
    """Adds `--adapter`."""
    parser.add_argument(
        "--adapter",
        default="auto",
        metavar="ADAPTER",
        help="with every plan: auto (its own), off, a shipped adapter's name or a file ending in "
        ".safetensors; default: auto",
    )


def add_numbers(parser: Arguments) -> None:
    """Adds `--precision` and `--backend`."""
    parser.add_argument(
        "--precision",
        default="auto",
        metavar="PRECISION",
        help="auto, int8, bf16 or fp32; default: auto",
    )
    parser.add_argument(
        "--backend",
        default="auto",
        metavar="BACKEND",
        help="auto, native, onnx or torch; default: auto",
    )


def add_decision(parser: Arguments) -> None:
    """Adds what the few-shot classifier goes by: names, words, out-of-scope intents, rejection."""
    parser.add_argument(
        "--oos-intents", nargs="*", metavar="INTENT",
        help="intents that mean out-of-scope; default: by name; nothing behind it: none",
    )  # fmt: skip
    parser.add_argument(
        "--no-intent-names", action="store_true", help="do not learn from the intents' names"
    )
    parser.add_argument(
        "--lexical-weight",
        default=AUTO,
        metavar="X",
        help="weight of the messages' own words beside the encoder, from 0 (off), or auto; "
        "default: auto",
    )
    parser.add_argument(
        "--target-in-scope-rejection", type=float, default=None, metavar="X",
        help="share of right answers that may be rejected; default: the components' (0.05)",
    )  # fmt: skip


def lexical_weight_of(arguments: argparse.Namespace) -> Optional[float]:
    """Returns `--lexical-weight`; None of 'auto'.

    Raises:
        ConfigError: If it is no number from 0.
    """
    given = arguments.lexical_weight
    if given == AUTO:
        return None
    try:
        weight = float(given)
    except ValueError:
        weight = -1.0
    if not 0 <= weight < math.inf:
        raise ConfigError(f"--lexical-weight must be '{AUTO}' or a number from 0, got '{given}'")
    return weight


def target_rejection_of(arguments: argparse.Namespace) -> Optional[float]:
    """Returns `--target-in-scope-rejection`; None if it is not given.

    Raises:
        ConfigError: If it is not in [0, 1).
    """
    share: Optional[float] = arguments.target_in_scope_rejection
    if share is not None and not 0 <= share < 1:
        raise ConfigError(f"--target-in-scope-rejection must be in [0, 1), got {share}")
    return share


def add_scheduler(parser: Arguments, *, default: Optional[str] = "inline", of: str = "") -> None:
    """Adds `--scheduler`.

    Args:
        parser: Where to.
        default: None tells an argument that was not given from one that was.
        of: What of the command runs there, if not all of it.
    """
    parser.add_argument(
        "--scheduler",
        default=default,
        metavar="SCHEDULER",
        help=f"{of}inline, processes:N, or the address of a Dask scheduler; default: inline",
    )


def add_output(parser: Arguments, about: str) -> None:
    """Adds `--json` and `--quiet`.

    Args:
        parser: The command's group of results.
        about: What one JSON object tells of.
    """
    add_json(parser, about)
    add_quiet(parser)


def add_quiet(parser: Arguments) -> None:
    """Adds `--quiet`."""
    parser.add_argument("--quiet", action="store_true", help="no progress bars and no remarks")


def add_json(parser: Arguments, about: str = "") -> None:
    """Adds `--json`; `about` says what one object tells of."""
    what = f", one for {about}" if about else ""
    parser.add_argument(
        "--json", action="store_true", help=f"JSON alone on stdout, an object a line{what}"
    )
