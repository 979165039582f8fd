"""This package: `ours:BACKEND:PRECISION:PLAN`.

The backend `cuda` is torch on the first GPU, `native-avx2` the C library built for AVX2, and so on.
"""

from __future__ import annotations

import os
from typing import Any, Dict, List, Sequence

import numpy as np

from benchmarks.engines.plans import benchmark_plan
from benchmarks.engines.settings import EngineSettings
from rasa_tokprune.encoder import Encoder, load_encoder
from rasa_tokprune.encoder.backends.builds import CPU_VARIABLE
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.encoder import DEFAULT_BATCH_SIZE
from rasa_tokprune.encoder.formats import Backend

GPU = "cuda"


class OurEngine:
    """An `Encoder`, without its cache of embeddings."""

    def __init__(self, encoder: Encoder) -> None:
        """Wraps a loaded encoder."""
        self._encoder = encoder
        self.facts: Dict[str, Any] = {"plan": encoder.plan.to_dict()}
        self.facts["plan"].pop("provenance")
        if encoder.model.build is not None:
            self.facts["build"] = encoder.model.build

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Returns embeddings, (len(texts), embedding_size) float32."""
        return self._encoder.encode(texts)

    def costs(self, texts: Sequence[str]) -> List[float]:
        """Returns each text's token-layers as a share of the un-pruned model's, in (0, 1]."""
        return [encoded.cost for encoded in self._encoder.encode_detailed(texts)]


def build(settings: EngineSettings) -> OurEngine:
    """Loads the encoder."""
    backend, precision, *plan = settings.option.split(":", 2)
    backend, _, build = backend.partition("-")
    if build:  # an engine has a process of its own
        os.environ[CPU_VARIABLE] = build
    n_layers = EncoderSpec.from_folder(settings.folder).n_layers
    encoder = load_encoder(
        str(settings.folder),
        backend=Backend.TORCH.value if backend == GPU else backend,
        device=GPU if backend == GPU else "cpu",
        precision=precision,
        prune=benchmark_plan(plan[0] if plan else "off", n_layers),
        num_threads=settings.threads,
        batch_size=settings.batch_size or DEFAULT_BATCH_SIZE,
        max_length=settings.max_length,
        cache_size=0,
    )
    return OurEngine(encoder)
