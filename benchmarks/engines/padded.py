"""Sentence embeddings from a graph that takes padded batches, as users of such graphs write it."""

from __future__ import annotations

from pathlib import Path
from typing import Callable, Dict, Optional, Sequence

import numpy as np
from tokenizers import Tokenizer

from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.tokens import read_tokenizer

# input name -> (batch_size, seq_len) int64; returns states, (batch_size, seq_len, hidden_size)
RunGraph = Callable[[Dict[str, np.ndarray]], np.ndarray]
DEFAULT_BATCH_SIZE = 32


class PaddedEncoder:
    """Tokenizes, pads, runs the graph, averages the real tokens, normalises."""

    def __init__(
        self,
        folder: Path,
        run_graph: RunGraph,
        *,
        max_length: Optional[int] = None,
        batch_size: Optional[int] = None,
    ) -> None:
        """Reads the checkpoint's tokenizer; see `EngineSettings`."""
        spec = EncoderSpec.from_folder(folder)
        self._run_graph = run_graph
        self._batch_size = batch_size or DEFAULT_BATCH_SIZE
        self._tokenizer = Tokenizer.from_str(read_tokenizer(folder))
        self._tokenizer.enable_truncation(max_length or spec.max_seq_length)
        self._tokenizer.enable_padding(pad_id=spec.pad_token_id)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns embeddings, (len(texts), hidden_size) float32; like lengths share a batch."""
        if len(texts) == 1:
            return self._encode_batch(texts)
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        embeddings: Optional[np.ndarray] = None
        for start in range(0, len(order), self._batch_size):
            chosen = order[start : start + self._batch_size]
            batch = self._encode_batch([texts[index] for index in chosen])
            if embeddings is None:
                embeddings = np.zeros((len(texts), batch.shape[1]), dtype=np.float32)
            embeddings[chosen] = batch
        return embeddings if embeddings is not None else np.zeros((0, 0), dtype=np.float32)

    def _encode_batch(self, texts: Sequence[str]) -> np.ndarray:
        encodings = self._tokenizer.encode_batch(list(texts))
        ids = np.array([encoding.ids for encoding in encodings], dtype=np.int64)
        mask = np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64)
        states = self._run_graph(
            {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
        )
        weights = mask[..., None].astype(np.float32)
        means = (states * weights).sum(axis=1) / weights.sum(axis=1)
        return means / np.linalg.norm(means, axis=1, keepdims=True)
