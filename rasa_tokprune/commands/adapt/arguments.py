"""Arguments of `rasa-tokprune adapt`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Sequence

from rasa_tokprune.commands.adapt.training.settings import MEANINGS, TrainingSettings
from rasa_tokprune.commands.arguments import (
    DATA,
    ENCODER,
    RESULTS,
    RUNNING,
    SEARCH,
    TRAINING,
    Arguments,
    add_model,
    add_output,
    add_prune,
    add_scheduler,
)
from rasa_tokprune.errors import ConfigError

# Of the change of each matrix: 2.4 MB for MiniLM in half precision.
DEFAULT_RANK = 32
# Of options that count only together with others: None in the parser tells that they were not
# given.
_NUMBERS = TrainingSettings()
_DEFAULTS = {
    "device": "auto",
    "scheduler": "inline",
    "steps": _NUMBERS.steps,
    "contrast_steps": _NUMBERS.contrast_steps,
    "strength": 1.0,
    "teacher_share": 0.5,
    "search_steps": [0, 60, 240],
    "keep": [16, 6],
}
# What only a training makes use of, and what only a search.
_TRAINING = (
    "prune", "name", "start", "teacher", "teacher_share", "strength", "steps", "contrast_steps",
    "device", "leave_one_out",
)  # fmt: skip
_SEARCHING = ("plans", "search_steps", "keep")


def add_adapt(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.usage = "%(prog)s (--prune PLAN | --search) --out FOLDER [data] [options]"
    parser.description = (
        "Trains a low-rank adapter with which a pruned encoder answers like the un-pruned one, or "
        "better, from unlabelled messages such as a bot's own log, and from labelled ones if given."
    )
    _add_data(parser.add_argument_group(DATA))
    encoder = parser.add_argument_group(ENCODER)
    add_model(encoder)
    add_prune(encoder, "plan to train for")
    training = parser.add_argument_group(TRAINING)
    _add_training(training)
    training.add_argument(
        "--leave-one-out",
        action="store_true",
        help="one adapter without each task instead, to measure on that task",
    )
    _add_search(parser.add_argument_group(SEARCH, "for plans, instead of a training"))
    running = parser.add_argument_group(RUNNING)
    running.add_argument(
        "--device", metavar="DEVICE", help="cpu, cuda, cuda:N or auto; default: auto"
    )
    add_scheduler(running, default=None, of="of search and leave-one-out: ")
    results = parser.add_argument_group(RESULTS)
    results.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FOLDER",
        help="folder for the adapter, its plan and its history",
    )
    results.add_argument(
        "--name", metavar="NAME", help="name of plan and adapter (default: the folder's)"
    )
    add_output(results, "each adapter, or each plan of a search")


def check_options(arguments: argparse.Namespace) -> None:
    """Refuses options that would be left unused, and fills in those that were not given.

    Raises:
        ConfigError: If an option changes nothing, or `--prune` is missing.
    """
    unused = _given(arguments, _TRAINING if arguments.search else _SEARCHING)
    if unused and arguments.search:
        raise ConfigError(f"--search makes no use of {unused}; leave it out")
    if unused:
        raise ConfigError(f"{unused}: needs --search")
    if arguments.teacher_share is not None and not arguments.teacher:
        raise ConfigError("--teacher-share: needs --teacher, the encoder whose share it is")
    if arguments.scheduler is not None and not (arguments.search or arguments.leave_one_out):
        raise ConfigError("--scheduler: needs --search or --leave-one-out; one training is one job")
    if arguments.prune is None and not arguments.search:
        raise ConfigError("--prune is missing: a plan's name or file, or --search to find one")
    for name, default in _DEFAULTS.items():
        if getattr(arguments, name) is None:
            setattr(arguments, name, default)


def _given(arguments: argparse.Namespace, names: Sequence[str]) -> str:
    """Returns the options among some that were given, as the user writes them."""
    values = {name: getattr(arguments, name) for name in names}
    given = [
        name
        for name, value in values.items()
        # `--keep` without a number is given; 0 is a number.
        if not (value is None or value is False or (value == [] and name != "keep"))
    ]
    return ", ".join("--" + name.replace("_", "-") for name in given)


def _add_data(parser: Arguments) -> None:
    parser.add_argument(
        "--texts",
        nargs="+",
        default=[],
        metavar="[TASK=]FILE",
        help="unlabelled messages: one a line, or Rasa YAML, whose labels are not looked at; with "
        "a task's name in front they are left out with that task",
    )
    parser.add_argument(
        "--task",
        action="append",
        default=[],
        metavar="NAME=FILE|FOLDER",
        help="labelled messages in Rasa YAML, or a folder of *.yml, each a task of its file's "
        "name; may be given several times",
    )
    parser.add_argument(
        "--leave", nargs="+", default=[], metavar="NAME", help="tasks of these to go without"
    )
    parser.add_argument(
        "--judge",
        action="append",
        default=[],
        metavar="NAME=FILE|FOLDER",
        help="labelled messages to choose by, never trained on: a training keeps what does best on "
        "their mean, a search compares plans on them; may be given several times",
    )
    parser.add_argument(
        "--concatenations",
        type=int,
        default=4000,
        metavar="N",
        help="long texts made of several of yours in a row, 0 or more; default: 4000",
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="FILE",
        help="adapter to go on from, of the same rank: one trained on much text without labels, "
        "say (default: the encoder itself)",
    )
    parser.add_argument(
        "--teacher",
        metavar="MODEL",
        help="folder or hub id of a second, better encoder to learn from as well, needed in "
        "training only; or a .safetensors file of its embeddings",
    )
    parser.add_argument(
        "--teacher-share",
        type=float,
        metavar="X",
        help="weight of the second teacher's similarities in [0, 1]; default: 0.5",
    )


def _add_training(parser: Arguments) -> None:
    parser.add_argument(
        "--rank",
        type=int,
        default=DEFAULT_RANK,
        metavar="N",
        help=f"of each matrix's change; default: {DEFAULT_RANK}",
    )
    for name, meaning in MEANINGS.items():
        default = getattr(_NUMBERS, name)
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=type(default),
            default=None if name in _DEFAULTS else default,
            metavar="N" if isinstance(default, int) else "X",
            help=f"{meaning}; default: {default:g}",
        )
    parser.add_argument(
        "--strength",
        type=float,
        metavar="X",
        help="share that is kept of the whole change, that of --start included, in (0, 1]; less is "
        "safer on messages unlike those of the training; default: 1",
    )
    parser.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default="auto",
        metavar="PRECISION",
        help="auto, fp32 or bf16, of the matrix products in training; default: auto, bf16 where "
        "that is fast",
    )


def _add_search(group: Arguments) -> None:
    group.add_argument(
        "--search",
        action="store_true",
        help="try many plans in rounds, the best ones with more steps; --prune is not needed",
    )
    group.add_argument(
        "--plans",
        nargs="+",
        default=[],
        metavar="PLAN",
        help="plans to compare, names or files, instead of those that the search makes up",
    )
    group.add_argument(
        "--search-steps",
        nargs="+",
        type=int,
        metavar="N",
        help="training steps of each round; default: 0 60 240",
    )
    group.add_argument(
        "--keep",
        nargs="*",
        type=int,
        metavar="N",
        help="plans that go on after each round but the last, none after a single round, whose "
        "plans then all get controls; default: 16 6",
    )
