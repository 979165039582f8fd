"""Calls `rasa-tokprune parse` on a log with trained models, in a process of its own.

python -m benchmarks.rasa.parse_log NAME=MODEL ... --log FILE --repetitions N
It prints one JSON object for each model and size of a batch, with the seconds of each repetition,
loading not counted.
"""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

from benchmarks.command import module_parser
from benchmarks.rasa.processes import RasaProcessError
from rasa_tokprune.cli import main as command

# Batch sizes, and how many messages of the log they are asked about; None: all.
BATCHES = {1: 1000, 256: None}


def parse(model: str, log: Path, batch_size: int) -> Dict[str, Any]:
    """Returns the summary of one call of the command.

    Raises:
        RasaProcessError: If it fails.
    """
    answers = log.with_name("answers.jsonl")
    options = ["--model", model, "--batch-size", str(batch_size), "--out", str(answers)]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        code = command(["parse", str(log), *options, "--quiet", "--json"])
    if code:
        raise RasaProcessError(f"rasa-tokprune parse ended with exit code {code}")
    summary: Dict[str, Any] = json.loads(printed.getvalue())
    return summary


def measure(model: str, log: Path, batch_size: int, repetitions: int) -> Dict[str, Any]:
    """Returns the messages asked about and the seconds of each repetition."""
    n_asked = BATCHES[batch_size]
    if n_asked is not None:
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)[:n_asked]
        log = log.with_name("part.txt")
        log.write_text("".join(lines), encoding="utf-8")
    summaries = [parse(model, log, batch_size) for _ in range(repetitions)]
    seconds: List[float] = [summary["seconds"] for summary in summaries]
    return {"n_messages": summaries[0]["messages"], "seconds": seconds}


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Parses the command line and prints the measurements."""
    parser = module_parser(__file__, __doc__)
    parser.add_argument("models", nargs="+", metavar="NAME=MODEL")
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--repetitions", type=int, required=True)
    parsed = parser.parse_args(arguments)
    for named in parsed.models:
        name, _, model = named.partition("=")
        for batch_size in BATCHES:
            found = measure(model, parsed.log, batch_size, parsed.repetitions)
            print(json.dumps({"pipeline": name, "batch_size": batch_size, **found}), flush=True)


if __name__ == "__main__":
    main()
