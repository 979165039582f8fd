"""The process a peer runs in, in the peer's own environment: it imports nothing of this package.

With `--fit FILE` it learns from {"texts": [...], "labels": [...]} and ends. Without, it loads what
was learned and answers requests on stdin, one JSON line each, {"texts": [...], "n_warm": N}, with
the answers, the seconds of each and the process's peak memory.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import re
import sys
import time
import warnings
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, Optional, Sequence, TextIO

from benchmarks.peers.interface import Peer

_VERSIONS = (
    "rasa-tokprune", "rasa", "tensorflow", "torch", "transformers", "sentence-transformers",
    "setfit", "semantic-router", "scikit-learn", "numpy",
)  # fmt: skip


def build(module: str, settings: Dict[str, Any]) -> Peer:
    """Returns a peer.

    Args:
        module: Its module here.
        settings: What its `build` takes.
    """
    peer: Peer = importlib.import_module(f"benchmarks.peers.{module}").build(settings)
    return peer


def serve(peer: Peer, folder: Path, requests: TextIO, answers: TextIO) -> None:
    """Loads a peer, says so, and answers requests until there are none."""
    peer.load(folder)
    _send(answers, {"versions": versions()})
    for line in requests:
        request = json.loads(line)
        for text in request["texts"][: request["n_warm"]]:
            peer.answer(text)
        found, seconds = [], []
        for text in request["texts"]:
            start = time.perf_counter()
            found.append(peer.answer(text))
            seconds.append(time.perf_counter() - start)
        _send(answers, {"answers": found, "seconds": seconds, "peak_mb": peak_mb()})


def versions() -> Dict[str, str]:
    """Returns the versions of what decides a peer's answers, of what is installed."""
    found = {}
    for name in _VERSIONS:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def peak_mb() -> Optional[float]:
    """Returns the highest resident memory of this process, None where the system does not say."""
    status = Path("/proc/self/status")
    match = re.search(r"VmHWM:\s+(\d+) kB", status.read_text()) if status.is_file() else None
    return int(match.group(1)) / 1024 if match else None


def _send(answers: TextIO, content: Dict[str, Any]) -> None:
    answers.write(json.dumps(content) + "\n")
    answers.flush()


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Parses the command line; fits or serves."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.peers.worker")
    parser.add_argument("module")
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--fit", type=Path)
    parsed = parser.parse_args(arguments)
    # Whatever a library prints goes to stderr.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    logging.disable(logging.WARNING)
    warnings.simplefilter("ignore")
    peer = build(parsed.module, parsed.settings)
    if parsed.fit:
        examples = json.loads(parsed.fit.read_text(encoding="utf-8"))
        peer.fit(examples["texts"], examples["labels"], parsed.folder)
    else:
        serve(peer, parsed.folder, sys.stdin, answers)


if __name__ == "__main__":
    main()
