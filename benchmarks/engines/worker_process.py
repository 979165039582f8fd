"""The coordinator's side of a worker: starts it, asks it, stops it."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any, Dict, List, Optional, Sequence, Tuple, Type

from benchmarks.machine import WITHOUT_AVX512, thread_variables
from rasa_tokprune.errors import TokPruneError

_MODULE = "benchmarks.engines.worker"


class WorkerError(TokPruneError):
    """A worker's process ended or its engine failed."""


@dataclasses.dataclass(frozen=True)
class WorkerSettings:
    """What all workers of one comparison share.

    Attributes:
        folder: The checkpoint.
        work: Where prepared graphs are kept.
        threads: Threads, and cores, of each worker.
        batch_size: Texts per forward pass; None is each engine's own default.
        max_length: Most tokens of a text; None is the checkpoint's own.
        without_avx512: Keep the libraries that allow it off AVX-512, as on an older CPU.
    """

    folder: Path
    work: Path
    threads: int = 1
    batch_size: Optional[int] = None
    max_length: Optional[int] = None
    without_avx512: bool = False

    def variables(self) -> Dict[str, str]:
        """Returns the worker's environment variables."""
        mask = WITHOUT_AVX512 if self.without_avx512 else {}
        return {**os.environ, **thread_variables(self.threads), **mask}

    def arguments(self, names: Sequence[str]) -> List[str]:
        """Returns the worker's command line."""
        arguments = ["--model", str(self.folder), "--work", str(self.work)]
        arguments += ["--threads", str(self.threads)]
        arguments += [part for name in names for part in ("--engine", name)]
        for option, value in (("--batch-size", self.batch_size), ("--max-length", self.max_length)):
            arguments += [] if value is None else [option, str(value)]
        return arguments


class WorkerProcess:
    """One worker; use it in a `with` statement. `report` says what was built."""

    def __init__(
        self, names: Sequence[str], settings: WorkerSettings, *, is_preparing: bool = False
    ) -> None:
        """Starts the process and waits until its engines are built or prepared."""
        command = [sys.executable, "-m", _MODULE, *settings.arguments(names)]
        self._names = ", ".join(names)
        self._errors = tempfile.TemporaryFile(  # noqa: SIM115 (closed in `close`)
            "w+", encoding="utf-8", errors="replace"
        )
        self._process = subprocess.Popen(
            [*command, "--prepare"] if is_preparing else command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            env=settings.variables(),
        )
        self.report: Dict[str, Any] = self._read()

    def seconds(
        self,
        name: str,
        texts: Sequence[str],
        *,
        n_warm_texts: Optional[int] = None,
        n_warm_calls: int = 1,
    ) -> Tuple[float, float]:
        """Returns the seconds of `encode(texts)` inside the worker: of the first call, and warm.

        Args:
            name: The engine.
            texts: What is encoded.
            n_warm_texts: How many of them the untimed calls before take; None is all.
            n_warm_calls: Untimed calls before.
        """
        n_warm_texts = len(texts) if n_warm_texts is None else n_warm_texts
        warm = {"n_warm_texts": n_warm_texts, "n_warm_calls": n_warm_calls}
        first, last = self._ask(name, texts, want="time", **warm)["seconds"]
        return first, last

    def costs(self, name: str, texts: Sequence[str]) -> Optional[List[float]]:
        """Returns each text's share of the un-pruned token-layers; None if not known."""
        costs: Optional[List[float]] = self._ask(name, texts, want="costs")["costs"]
        return costs

    def embeddings(self, name: str, texts: Sequence[str]) -> List[List[float]]:
        """Returns embeddings, (len(texts), embedding_size)."""
        embeddings: List[List[float]] = self._ask(name, texts, want="embeddings")["embeddings"]
        return embeddings

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the process."""
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._errors.close()

    def _ask(self, name: str, texts: Sequence[str], **request: Any) -> Dict[str, Any]:
        stdin = self._process.stdin
        if stdin is None:
            raise WorkerError(f"worker of {self._names} takes no requests")
        try:
            stdin.write(json.dumps({"engine": name, "texts": list(texts), **request}) + "\n")
            stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None
        return self._read()

    def _read(self) -> Dict[str, Any]:
        line = self._process.stdout.readline() if self._process.stdout is not None else ""
        if not line:
            raise self._ended()
        content: Dict[str, Any] = json.loads(line)
        return content

    def _ended(self) -> WorkerError:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return WorkerError(
            f"the worker of {self._names} ended with code {self._process.returncode}: "
            f"{lines[-1] if lines else 'it said nothing'}"
        )
