"""What an engine is built from, and what it must do."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Any, Dict, Optional, Protocol, Sequence

import numpy as np

from rasa_tokprune.encoder.checkpoint.find import file_sha256
from rasa_tokprune.encoder.checkpoint.modules import transformer_folder
from rasa_tokprune.encoder.checkpoint.weights import weight_files


@dataclasses.dataclass(frozen=True)
class EngineSettings:
    """What an engine is built from.

    Attributes:
        name: Full name, such as `ours:onnx:int8:off`.
        folder: The checkpoint.
        work: Where prepared graphs are kept.
        threads: Threads it may use.
        batch_size: Texts per forward pass where there are several; None is its own default.
        max_length: Most tokens of a text; None is the checkpoint's own.
    """

    name: str
    folder: Path
    work: Path
    threads: int = 1
    batch_size: Optional[int] = None
    max_length: Optional[int] = None

    @property
    def option(self) -> str:
        """The name without its first part: `int8` of `onnxruntime:int8`."""
        return self.name.partition(":")[2]

    @property
    def cache(self) -> Path:
        """Where graphs of this checkpoint are kept; made if it is missing."""
        return _graph_folder(self.work, self.folder)


class Engine(Protocol):
    """Text in, embedding out."""

    # What a reader of the numbers must know: variant, precision in force and the like.
    facts: Dict[str, Any]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns embeddings, (len(texts), embedding_size) float32, L2-normalised."""


def _graph_folder(work: Path, checkpoint: Path) -> Path:
    """Returns a folder that is named after a checkpoint's content, wherever it lies."""
    base = transformer_folder(checkpoint)
    files = [base / "config.json", *weight_files(base)]
    digest = hashlib.sha256("\n".join(file_sha256(path) for path in files).encode())
    folder = work / "graphs" / digest.hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder
