"""The coordinator's side: a peer learns in one process and answers in another."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Sequence

from benchmarks.machine import thread_variables
from benchmarks.peers.interface import Answer
from benchmarks.tables import ROOT
from rasa_tokprune.errors import TokPruneError

_MODULE = "benchmarks.peers.worker"
_N_WARM = 20
_SHOWN = 1500


class PeerError(TokPruneError):
    """A peer's process ended."""


@dataclasses.dataclass(frozen=True)
class Learned:
    """What learning cost.

    Attributes:
        seconds: Wall time of the whole process: start, imports, training, saving.
        peak_mb: Highest resident memory of it or of a process it started.
    """

    seconds: float
    peak_mb: float


@dataclasses.dataclass(frozen=True)
class Answered:
    """What a peer answered.

    Attributes:
        answers: To each message.
        seconds: Of each.
        peak_mb: Highest resident memory of the process; None where the system does not say.
        start_s: Seconds until it was ready.
        versions: Of the packages that decide the answers.
    """

    answers: List[Answer]
    seconds: List[float]
    peak_mb: Optional[float]
    start_s: float
    versions: Dict[str, str]


@dataclasses.dataclass(frozen=True)
class PeerProcess:
    """How a peer is started.

    Attributes:
        python: The interpreter of its environment.
        module: Its module in this package.
        settings: What the module's `build` takes.
    """

    python: Path
    module: str
    settings: Dict[str, Any]

    def learn(self, texts: Sequence[str], labels: Sequence[str], folder: Path) -> Learned:
        """Lets it learn from examples.

        Raises:
            PeerError: If it fails; with the end of what it printed.
        """
        examples = folder / "examples.json"
        content = {"texts": list(texts), "labels": list(labels)}
        examples.write_text(json.dumps(content), encoding="utf-8")
        start = time.perf_counter()
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            command = [*self._command(folder), "--fit", str(examples)]
            process = subprocess.Popen(
                command, stdout=output, stderr=output, cwd=ROOT, env=_variables()
            )
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise PeerError(f"{self.module} did not learn: {_end_of(output)}")
        return Learned(seconds, usage.ru_maxrss / 1024)

    def answer(self, texts: Sequence[str], folder: Path) -> Answered:
        """Asks what was learned, one message after another, after a few to warm up.

        Raises:
            PeerError: If it fails; with the end of what it printed.
        """
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            start = time.perf_counter()
            with self._started(folder, output) as process:
                ready = self._read(process, output)
                start_s = time.perf_counter() - start
                if process.stdin is None:
                    raise PeerError(f"{self.module} takes no requests")
                process.stdin.write(json.dumps({"texts": list(texts), "n_warm": _N_WARM}) + "\n")
                process.stdin.flush()
                found = self._read(process, output)
        answers = [(name, confidence) for name, confidence in found["answers"]]
        return Answered(answers, found["seconds"], found["peak_mb"], start_s, ready["versions"])

    def _command(self, folder: Path) -> List[str]:
        settings = json.dumps(self.settings)
        options = ["--settings", settings, "--folder", str(folder)]
        return [str(self.python), "-m", _MODULE, self.module, *options]

    @contextlib.contextmanager
    def _started(self, folder: Path, output: Any) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            self._command(folder),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            text=True,
            encoding="utf-8",
            cwd=ROOT,
            env=_variables(),
        )
        try:
            yield process
        finally:
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(BrokenPipeError):
                        stream.close()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _read(self, process: subprocess.Popen[str], output: Any) -> Dict[str, Any]:
        line = process.stdout.readline() if process.stdout is not None else ""
        if not line:
            raise PeerError(f"{self.module} does not answer: {_end_of(output)}")
        found: Dict[str, Any] = json.loads(line)
        return found


def _variables() -> Dict[str, str]:
    """Returns the variables of one thread, without a network, on the processor alone."""
    return {
        **os.environ,
        **thread_variables(1),
        "PYTHONPATH": str(ROOT),
        "HF_HUB_OFFLINE": "1",
        "TRANSFORMERS_OFFLINE": "1",
        "CUDA_VISIBLE_DEVICES": "",
    }


def _end_of(output: Any) -> str:
    output.seek(0)
    return " ".join(output.read()[-_SHOWN:].split())
