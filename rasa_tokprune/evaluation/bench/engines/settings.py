"""What an engine is built from, and what it must do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, Optional, Protocol, Sequence

import numpy as np


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
        from rasa_tokprune.evaluation.bench.engines.graph_cache import graph_folder

        return graph_folder(self.work, self.folder)


class Engine(Protocol):
    """Text in, embedding out."""

    # What a reader of the numbers must know: variant, precision in force and the like.
    facts: Dict[str, Any]

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns embeddings, (len(texts), embedding_size) float32, L2-normalised."""
