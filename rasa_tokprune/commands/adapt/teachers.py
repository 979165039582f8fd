"""What a student is to answer: what one or two encoders make of the same texts."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Dict, List, Optional, Sequence

import numpy as np
import torch
from torch import Tensor

from rasa_tokprune.encoder import Encoder
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.machine.stored import stored_path
from rasa_tokprune.texts.embeddings import EmbeddingStore, embed_texts, read_embeddings

_SMALLEST_NORM = 1e-12
_HALF = np.float16


@dataclasses.dataclass(frozen=True)
class Targets:
    """Embeddings by the teachers, unit-length, in half precision.

    Attributes:
        row_of: Number of each text.
        own: Of the student's encoder, un-pruned and un-adapted, (n_texts, d).
        other: Of the second teacher, (n_texts, e), zeros where it was not asked; None: there is
            none.
        share: Of the second teacher's similarities, in [0, 1].
    """

    row_of: Dict[str, int]
    own: Tensor
    other: Optional[Tensor]
    share: float

    @classmethod
    def of(
        cls,
        own: Dict[str, np.ndarray],
        other: Optional[Dict[str, np.ndarray]] = None,
        share: float = 0.5,
        device: str = "cpu",
    ) -> Targets:
        """Returns embeddings of texts, brought to unit length; some encoders leave them at any.

        Args:
            own: Embedding of each text by the student's encoder, (d,).
            other: Of some of them by the second teacher, (e,).
            share: See `share`.
            device: torch's name of the device that keeps them.
        """
        texts = list(own)
        theirs = None
        if other:
            nothing = np.zeros_like(next(iter(other.values())))
            theirs = _unit([other.get(text, nothing) for text in texts], device)
        rows = {text: row for row, text in enumerate(texts)}
        return cls(rows, _unit([own[text] for text in texts], device), theirs, share)

    def rows(self, texts: Sequence[str]) -> Tensor:
        """Returns the numbers of texts, (n_texts,)."""
        numbers = torch.tensor([self.row_of[text] for text in texts])
        return numbers.to(self.own.device, non_blocking=True)


def encode_targets(
    encoder: Encoder, texts: Sequence[str], show_progress: bool
) -> Dict[str, np.ndarray]:
    """Returns an encoder's embedding of every text, (d,); they are computed once and kept on disk.

    Args:
        encoder: A teacher.
        texts: To encode.
        show_progress: Whether to show a progress bar.
    """
    store = EmbeddingStore(stored_path("embeddings"))
    name = "Encoding by the teacher" if show_progress else None
    return embed_texts(encoder, texts, store, name)


def read_targets(path: Path, texts: Sequence[str]) -> Dict[str, np.ndarray]:
    """Returns embeddings from a file that was computed elsewhere; see `read_embeddings`.

    Raises:
        ConfigError: If it cannot be read, or lacks a text.
    """
    found = read_embeddings(path, texts)
    if len(found) < len(set(texts)):
        raise ConfigError(
            f"--teacher '{path}' holds embeddings of {len(found)} of {len(set(texts))} texts; "
            f"compute it for the same texts, concatenations and seed, or name the encoder"
        )
    return found


def _unit(vectors: List[np.ndarray], device: str) -> Tensor:
    stacked = np.stack(vectors).astype(np.float32, copy=False)
    norms = np.linalg.norm(stacked, axis=1, keepdims=True)
    halves = (stacked / np.maximum(norms, _SMALLEST_NORM)).astype(_HALF)
    return torch.from_numpy(halves).to(device)
