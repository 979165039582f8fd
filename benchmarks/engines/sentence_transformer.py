"""sentence-transformers as its documentation uses it: torch, fp32 or bf16."""

from __future__ import annotations

from typing import Any, Dict, Sequence

import numpy as np

from benchmarks.engines.settings import EngineSettings

_BATCH_SIZE = 32  # the library's default


class SentenceTransformerEngine:
    """`SentenceTransformer.encode`."""

    def __init__(self, model: Any, batch_size: int) -> None:
        """Wraps a loaded model."""
        self._model = model
        self._batch_size = batch_size
        self.facts: Dict[str, Any] = {}

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns embeddings, (len(texts), embedding_size) float32."""
        return np.asarray(
            self._model.encode(list(texts), batch_size=self._batch_size, show_progress_bar=False)
        )


def build(settings: EngineSettings) -> SentenceTransformerEngine:
    """Loads the model."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(settings.threads)
    options = {"torch_dtype": torch.bfloat16} if settings.option == "bf16" else {}
    model = SentenceTransformer(str(settings.folder), device="cpu", model_kwargs=options)
    if settings.max_length is not None:
        model.max_seq_length = settings.max_length
    return SentenceTransformerEngine(model, settings.batch_size or _BATCH_SIZE)
