"""Arguments of `rasa-tokprune bench`. Imports nothing heavy."""

from __future__ import annotations

import argparse
from pathlib import Path

from rasa_tokprune.commands.arguments import (
    DATA,
    ENCODER,
    RESULTS,
    RUNNING,
    add_adapter,
    add_model,
    add_output,
    add_prune,
)


def add_bench(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.usage = "%(prog)s FILE ... [options]"
    parser.description = (
        "Times how long an encoder takes for one message at a time, on messages of yours and on "
        "this machine: plans and backends side by side, each message by all of them in turn."
    )
    parser.add_argument_group(DATA).add_argument(
        "messages",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="your messages: Rasa YAML, a folder of it, or a text file with one a line",
    )
    encoder = parser.add_argument_group(ENCODER)
    add_model(encoder)
    add_prune(
        encoder,
        "plans to time beside off; default: every shipped plan that suits the encoder",
        several=True,
    )
    add_adapter(encoder)
    encoder.add_argument(
        "--backends",
        nargs="+",
        default=[],
        metavar="BACKEND[:PRECISION]",
        help="native, onnx or torch, perhaps with int8, bf16 or fp32; default: the fastest here, "
        "and torch:fp32 where torch is installed",
    )
    running = parser.add_argument_group(RUNNING)
    running.add_argument(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="of one message; more help long ones; default: 1",
    )
    running.add_argument(
        "--repetitions", type=int, default=300, metavar="N", help="timed messages; default: 300"
    )
    add_output(parser.add_argument_group(RESULTS), "each backend and plan")
