"""Kills `adapt`, `adapt --search` and `certify` at random moments, runs them again; resumes.jsonl.

Each command runs once undisturbed. Then, anew each time, it is killed with SIGKILL at a random
moment between its start and its end, and run again to the end. What it writes has to be what the
undisturbed run wrote, and what it had kept when it was killed must not be made a second time.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Callable, Dict, Optional, Sequence, Tuple

from tqdm import tqdm

from benchmarks.command import measuring_parser, run_measuring
from benchmarks.reliability.serving.bot import EXAMPLE_BOT, bot_messages, varied
from benchmarks.rows import Row, append_row, read_rows, write_rows
from benchmarks.tables import ROOT
from rasa_tokprune.commands.adapt.command import HISTORY_FILE, STATE_FILE
from rasa_tokprune.commands.adapt.search.command import TRIALS_FILE
from rasa_tokprune.errors import TokPruneError
from rasa_tokprune.machine.environment import environment

_OUT, _CACHE, _LOG = "out", "cache", "log.txt"
_COMMAND = str(Path(sys.executable).with_name("rasa-tokprune"))
_N_MESSAGES = 16_000
_NLU, _TEST = EXAMPLE_BOT / "data" / "nlu.yml", EXAMPLE_BOT / "tests" / "test_nlu.yml"


class TrialError(TokPruneError):
    """What was to be interrupted does not work uninterrupted."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A command that goes on where it was killed.

    Attributes:
        arguments: Its command line, in a folder with `log.txt`.
        outcome: Folder of what it wrote -> what has to be the same.
        kept: Files, as a pattern below the trial's folder, that hold what is finished.
        codes: Exit codes of a run that was not disturbed.
    """

    arguments: Sequence[str]
    outcome: Callable[[Path], Any]
    kept: str
    codes: Tuple[int, ...] = (0,)


def _adapted(folder: Path) -> Any:
    history = (folder / _OUT / HISTORY_FILE).read_text(encoding="utf-8")
    (adapter,) = (path for path in (folder / _OUT).glob("*.safetensors") if path.name != STATE_FILE)
    return history, adapter.read_bytes()


def _found(folder: Path) -> Any:
    return (folder / _OUT / TRIALS_FILE).read_bytes()


def _certified(folder: Path) -> Any:
    return (folder / _OUT / "certificate.json").read_bytes()


KINDS: Dict[str, Kind] = {
    "adapt": Kind(
        [
            "adapt", "--prune", "light", "--texts", str(_NLU), "--task", f"bot={_NLU}",
            "--concatenations", "0", "--steps", "40", "--contrast-steps", "10", "--batch-size",
            "8", "--n-labels", "4", "--check-every", "5", "--patience", "100", "--out", _OUT,
        ],
        _adapted,
        f"{_OUT}/{STATE_FILE}",
    ),
    "adapt --search": Kind(
        [
            "adapt", "--search", "--plans", "gentle", "light", "balanced", "fast", "--texts",
            str(_NLU), "--judge", f"bot={_TEST}", "--search-steps", "0", "10", "--keep", "2",
            "--concatenations", "0", "--batch-size", "8", "--out", _OUT,
        ],
        _found,
        f"{_CACHE}/**/*.json",
    ),
    "certify": Kind(
        [
            "certify", "--train", str(_NLU), "--log", _LOG, "--prune", "gentle", "light", "fast",
            "--out", f"{_OUT}/certificate.json",
        ],
        _certified,
        f"{_CACHE}/**/*.json",
        codes=(0, 1),
    ),
}  # fmt: skip


class Trial:
    """A command, run undisturbed, then to be killed.

    Attributes:
        seconds: What the undisturbed run takes, start-up included.
    """

    def __init__(self, kind: Kind, folder: Path) -> None:
        """Runs the command to its end."""
        self._kind, self._folder, self._weights = kind, folder / "trial", folder / "weights"
        self._log = "\n".join(varied(bot_messages(), _N_MESSAGES))
        self._empty()
        self._finish()  # the encoder's 8-bit weights are made once
        for path in self._kept():
            path.unlink()
        shutil.copytree(self._folder / _CACHE, self._weights)
        self._empty()
        self.seconds = self._finish()
        self._expected = kind.outcome(self._folder)

    def kill_once(self, moment_s: float) -> Optional[Row]:
        """Kills a run and finishes it; returns what was seen, None if it ended before."""
        self._empty()
        process = self._start()
        try:
            process.wait(timeout=moment_s)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        else:
            return None
        kept = self._kept()
        seconds = self._finish()
        again = [
            path for path, written in self._kept().items() if kept.get(path, written) != written
        ]
        return {
            "moment_s": moment_s,
            "of_s": self.seconds,
            "rest_s": seconds,
            "kept": len(kept),
            "made_again": len(again) if "*" in self._kind.kept else 0,
            "same": self._kind.outcome(self._folder) == self._expected,
        }

    def _empty(self) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / _OUT).mkdir(parents=True)
        if self._weights.is_dir():
            shutil.copytree(self._weights, self._folder / _CACHE)
        (self._folder / _LOG).write_text(self._log, encoding="utf-8")

    def _start(self) -> subprocess.Popen[bytes]:
        variables = {
            "RASA_TOKPRUNE_CACHE": str(self._folder / _CACHE),
            "HF_HUB_OFFLINE": "1",
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(ROOT),
        }
        with (self._folder / "printed.txt").open("wb") as printed:
            return subprocess.Popen(
                [_COMMAND, *self._kind.arguments],
                cwd=self._folder, env={**os.environ, **variables},
                stdout=printed, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def _finish(self) -> float:
        start = time.monotonic()
        code = self._start().wait()
        if code not in self._kind.codes:
            printed = (self._folder / "printed.txt").read_text(errors="replace")[-2000:]
            raise TrialError(f"{self._kind.arguments} ended with {code}:\n{printed}")
        return time.monotonic() - start

    def _kept(self) -> Dict[Path, int]:
        """Returns the files that hold what is finished, and when each was written."""
        return {path: path.stat().st_mtime_ns for path in self._folder.glob(self._kind.kept)}


def measure(arguments: argparse.Namespace) -> None:
    """Kills each command as often as was asked for; rows are written as they come."""
    others = [] if not arguments.out.is_file() else read_rows(arguments.out)
    write_rows((row for row in others if row["command"] not in arguments.commands), arguments.out)
    moments = random.Random(arguments.seed)  # noqa: S311
    with tqdm(total=len(arguments.commands) * arguments.n, desc="Kills") as progress:
        for name in arguments.commands:
            with tempfile.TemporaryDirectory() as folder:
                trial = Trial(KINDS[name], Path(folder))
                for _ in range(arguments.n):
                    row = None
                    while row is None:
                        row = trial.kill_once(moments.random() * trial.seconds)
                    row = {"command": name, **row, "environment": environment()}
                    append_row(row, arguments.out)
                    progress.update()


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = measuring_parser(__file__, __doc__, "resumes.jsonl")
    made.add_argument("--n", type=int, default=10, help="kills of each command; default: 10")
    made.add_argument(
        "--commands", nargs="+", choices=KINDS, default=list(KINDS), help="default: all"
    )
    made.add_argument("--seed", type=int, default=17, help="of the moments; default: 17")
    return made


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    return run_measuring(parser(), measure, arguments)


if __name__ == "__main__":
    sys.exit(main())
