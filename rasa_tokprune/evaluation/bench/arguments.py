"""What `rasa-tokprune bench` can be asked. Imports nothing but argparse."""

from __future__ import annotations

import argparse
from pathlib import Path

PAPER_SHAPES = ("minilm-l12", "bert-base", "mpnet-base")
ALL_PIPELINES = ("keyword", "tokprune", "tokprune-features", "default", "language-model")
_DATA = Path("docs/data")


def add_benchmarks(parser: argparse.ArgumentParser) -> None:
    """Adds the benchmarks as sub-commands."""
    benchmarks = parser.add_subparsers(dest="benchmark", required=True)
    _latency(benchmarks.add_parser("latency", help="one text at a time, by length"))
    _throughput(benchmarks.add_parser("throughput", help="many texts of mixed lengths"))
    _shapes(benchmarks.add_parser("shapes", help="time saved by quantile, model and length"))
    _scaling(benchmarks.add_parser("scaling", help="growth with tokens, examples, intents"))
    _rasa(benchmarks.add_parser("rasa", help="whole Rasa: training, memory, answers over HTTP"))
    _start(benchmarks.add_parser("start", help="before the first answer; training time"))
    _report(benchmarks.add_parser("report", help="tables and plots from the raw data"))


def _latency(parser: argparse.ArgumentParser) -> None:
    _common(parser, "latency")
    _compared(parser, repetitions=60)
    parser.add_argument("--lengths", type=int, nargs="+", default=[8, 16, 32, 48, 64, 128, 256])
    parser.add_argument(
        "--without-avx512",
        action="store_true",
        help="keep the libraries that allow it off AVX-512, as on an older CPU",
    )
    parser.add_argument("--warm-calls", type=int, default=5, help="calls before the timed one")


def _throughput(parser: argparse.ArgumentParser) -> None:
    _common(parser, "throughput")
    _compared(parser, repetitions=3)
    parser.add_argument("--texts", type=int, default=5000, help="sampled from the messages")


def _shapes(parser: argparse.ArgumentParser) -> None:
    _common(parser, "shapes")
    _compared(parser, repetitions=20)
    parser.add_argument("--lengths", type=int, nargs="+", default=[8, 16, 32, 64, 128, 256])
    parser.add_argument("--shapes", nargs="+", default=list(PAPER_SHAPES))


def _scaling(parser: argparse.ArgumentParser) -> None:
    _common(parser, "scaling")
    _compared(parser, repetitions=20)
    lengths = [4, 8, 16, 32, 64, 128, 256, 512]
    parser.add_argument("--lengths", type=int, nargs="*", default=lengths)
    parser.add_argument("--examples", type=int, nargs="*", default=[100, 1000, 10_000, 100_000])
    parser.add_argument("--intents", type=int, nargs="*", default=[2, 20, 200, 2000])


def _rasa(parser: argparse.ArgumentParser) -> None:
    _common(parser, "rasa")
    parser.add_argument("--task", required=True, help="name of the data in the tables")
    parser.add_argument("--train", type=Path, required=True, help="training data (YAML)")
    parser.add_argument("--test", type=Path, required=True, help="messages that clients send")
    parser.add_argument("--domain", type=Path, help="needed for retrieval intents")
    parser.add_argument("--pipelines", nargs="+", default=list(ALL_PIPELINES))
    parser.add_argument("--requests", type=int, default=400, help="for each number of clients")
    parser.add_argument(
        "--set",
        nargs="*",
        default=[],
        metavar="KEY=VALUE",
        help="settings of this package's components, such as prune=off",
    )


def _start(parser: argparse.ArgumentParser) -> None:
    _common(parser, "start")
    parser.add_argument("--task", required=True, help="name of the data in the tables")
    parser.add_argument("--train", type=Path, required=True, help="training data (YAML)")
    parser.add_argument("--model", default="", help="folder or hub id; empty is the default model")
    parser.add_argument("--engines", nargs="+", help="BACKEND:PRECISION; default: all")
    parser.add_argument("--repetitions", type=int, default=3)


def _report(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, default=_DATA, help="folder with bench_*.jsonl")
    parser.add_argument("--markdown", type=Path, default=Path("docs/benchmarks.md"))
    parser.add_argument("--plots", type=Path, default=Path("docs"), help="folder")
    parser.add_argument("--readme", type=Path, help="also write the short table there")
    parser.add_argument("--baseline", default="sentence-transformers")
    parser.add_argument(
        "--break-even", type=Path, metavar="FILE", help="also write the break-even lengths there"
    )


def _common(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("--out", type=Path, default=_DATA / f"bench_{name}.jsonl")
    parser.add_argument("--threads", type=int, nargs="+", default=[1], help="each is a run of all")
    parser.add_argument("--force", action="store_true", help="measure again what --out holds")
    parser.add_argument(
        "--work",
        type=Path,
        default=Path("~/.cache/rasa_tokprune/bench"),
        help="where prepared graphs and checkpoints are kept",
    )


def _compared(parser: argparse.ArgumentParser, *, repetitions: int) -> None:
    parser.add_argument("--model", default="", help="folder or hub id; empty is the default model")
    parser.add_argument(
        "--messages", type=Path, nargs="+", required=True, help="Rasa YAML or one per line (.txt)"
    )
    parser.add_argument("--engines", nargs="+", help="see docs/benchmarks.md; default: all")
    parser.add_argument("--repetitions", type=int, default=repetitions)
