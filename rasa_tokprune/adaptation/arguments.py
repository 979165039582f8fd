"""Arguments of `rasa-tokprune adapt`."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.encoder.checkpoint import DEFAULT_MODEL
from rasa_tokprune.errors import ConfigError

# Of the change of each matrix: 2.4 MB for MiniLM in half precision.
DEFAULT_RANK = 32


def add_adapt(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.description = (
        "Trains a low-rank adapter with which a pruned encoder answers like the un-pruned one, or "
        "better. Unlabelled messages, such as a bot's own log, are enough; labelled ones help."
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub id")
    parser.add_argument("--prune", metavar="PLAN", help="plan to train for: a name or a file")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for the adapter, its plan and its history"
    )
    parser.add_argument("--name", help="name of plan and adapter (default: the folder's)")
    _add_data(parser)
    _add_training(parser)
    parser.add_argument("--device", default="auto", help="cpu, cuda, cuda:N or auto")
    parser.add_argument(
        "--leave-one-out",
        action="store_true",
        help="one adapter without each task instead, to measure on that task",
    )
    parser.add_argument(
        "--scheduler",
        default="inline",
        help="of search and leave-one-out: inline, processes:N, or the address of a Dask "
        "scheduler; default: inline",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bars")
    _add_search(parser.add_argument_group("search for plans instead"))


def check_options(arguments: argparse.Namespace) -> None:
    """Raises ConfigError if an option is given that would be left unused, or `--prune` is not."""
    training = ("prune", "name", "start", "teacher", "leave_one_out")
    searching = ("plans", "judge")
    names = training if arguments.search else searching
    unused = ["--" + name.replace("_", "-") for name in names if getattr(arguments, name)]
    if unused and arguments.search:
        raise ConfigError(f"--search makes no use of {', '.join(unused)}; leave it out")
    if unused:
        raise ConfigError(f"{', '.join(unused)}: needs --search")
    if arguments.prune is None and not arguments.search:
        raise ConfigError("--prune is missing: a plan's name or file, or --search to find one")


def _add_data(parser: argparse.ArgumentParser) -> None:
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
        metavar="NAME=FILE",
        help="labelled messages in Rasa YAML; may be given several times",
    )
    parser.add_argument(
        "--concatenations",
        type=int,
        default=4000,
        help="long texts made of several of yours in a row",
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
        help="folder or hub id of a second, better encoder to learn from as well; it is needed in "
        "training only",
    )
    parser.add_argument(
        "--teacher-share",
        type=float,
        default=0.5,
        metavar="X",
        help="weight of the second teacher's similarities in [0, 1]; default: 0.5",
    )


def _add_training(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rank", type=int, default=DEFAULT_RANK, help="of each matrix's change")
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument(
        "--un-pruned-share",
        type=float,
        default=0.25,
        help="share of steps without pruning, for sentences that the plan leaves alone",
    )
    parser.add_argument(
        "--strength",
        type=float,
        default=1.0,
        metavar="X",
        help="share that is kept of the whole change, that of --start included, in (0, 1]; less is "
        "safer on messages unlike those of the training; default: 1",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--precision",
        choices=("auto", "fp32", "bf16"),
        default="auto",
        help="of the matrix products in training; auto: bf16 where the processor is fast at it",
    )


def _add_search(group: argparse._ArgumentGroup) -> None:
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
        "--judge",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="labelled messages to measure plans on, never trained on; may be given several times",
    )
    group.add_argument(
        "--search-steps",
        nargs="+",
        type=int,
        default=[0, 60, 240],
        metavar="STEPS",
        help="training steps of each round; default: 0 60 240",
    )
    group.add_argument(
        "--keep",
        nargs="*",
        type=int,
        default=[16, 6],
        metavar="N",
        help="plans that go on after each round but the last, none after a single round, whose "
        "plans then all get controls; default: 16 6",
    )
