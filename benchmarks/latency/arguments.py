"""What the commands that compare engines can be asked, and what they make of it."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import List, Sequence

from benchmarks.command import measuring_parser
from benchmarks.engines.openvino_int8 import CALIBRATION, N_CALIBRATION
from benchmarks.engines.registry import check_engines, missing_package
from benchmarks.engines.worker_process import WorkerSettings
from benchmarks.machine import check_threads
from benchmarks.rows import RowStore, machine_of
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.machine.environment import environment
from rasa_tokprune.texts.lengths import sample


def store_parser(file: str, description: str | None, rows: str) -> argparse.ArgumentParser:
    """Returns the parser of a module that measures into a RowStore; see `measuring_parser`."""
    parser = measuring_parser(file, description, rows, is_resumed=True)
    parser.add_argument("--force", action="store_true", help="measure again what --out holds")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="each is a run of all")
    return parser


def add_engines(parser: argparse.ArgumentParser, *, repetitions: int) -> None:
    """Adds engines, texts and how often."""
    parser.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub id")
    parser.add_argument(
        "--messages", type=Path, nargs="+", required=True, help="Rasa YAML or one per line (.txt)"
    )
    parser.add_argument(
        "--engines", nargs="+", metavar="ENGINE", help="see docs/benchmarks.md; default: all"
    )
    parser.add_argument("--repetitions", type=int, default=repetitions)
    add_work(parser)


def add_lengths(parser: argparse.ArgumentParser, lengths: Sequence[int]) -> None:
    """Adds the tokens of texts of exact lengths."""
    parser.add_argument("--lengths", type=int, nargs="*", default=list(lengths), metavar="TOKENS")


def add_work(parser: argparse.ArgumentParser) -> None:
    """Adds the folder for what is made once."""
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("~/.cache/rasa_tokprune/bench"),
        help="where prepared graphs and checkpoints are kept",
    )


def store_of(arguments: argparse.Namespace) -> RowStore:
    """Returns where the rows go."""
    here = machine_of({"environment": environment()})
    return RowStore(arguments.out, force=arguments.force, machine=here)


def engines_asked(arguments: argparse.Namespace, default: Sequence[str]) -> List[str]:
    """Returns the engines asked for, all of them possible; of the default ones what is here."""
    if arguments.engines:
        check_engines(arguments.engines)
        return list(arguments.engines)
    for name in default:
        package = missing_package(name)
        if package:
            print(f"left out: {name}, '{package}' is not installed (uv sync --group benchmarks)")
    return [name for name in default if missing_package(name) is None]


def worker_settings(
    arguments: argparse.Namespace, messages: Sequence[str], *, without_avx512: bool = False
) -> List[WorkerSettings]:
    """Returns one for each number of threads; leaves messages for calibration in the folder."""
    for threads in arguments.threads:
        check_threads(threads)
    folder = find_checkpoint(arguments.model).resolve()
    work = arguments.work.expanduser().resolve()
    work.mkdir(parents=True, exist_ok=True)
    lines = sample(messages, min(N_CALIBRATION, len(messages)), seed=0)
    content = "".join(" ".join(line.split()) + "\n" for line in lines)
    (work / CALIBRATION).write_text(content, encoding="utf-8")
    return [
        WorkerSettings(folder, work, threads=threads, without_avx512=without_avx512)
        for threads in arguments.threads
    ]


def model_name(model: str) -> str:
    """Returns a model's name for rows: of a folder or hub id only the last part."""
    return Path(model).resolve().name if Path(model).is_dir() else model.rsplit("/", 1)[-1]
