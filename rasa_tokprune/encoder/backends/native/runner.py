"""Runs sentences through the C library."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import Dict, Mapping, Optional

import numpy as np
import structlog

from rasa_tokprune.encoder.adapters.weight_source import WeightSource
from rasa_tokprune.encoder.backends.batch import ForwardResult
from rasa_tokprune.encoder.backends.native.library import NativeModel, NativePlan
from rasa_tokprune.encoder.backends.native.pack import pack_weights
from rasa_tokprune.encoder.backends.sentence_runner import SentenceRunner
from rasa_tokprune.encoder.checkpoint.tensor_file import map_tensors, serialize_tensors
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.errors import CheckpointError
from rasa_tokprune.machine.stored import is_stored, store, stored_path

logger = structlog.get_logger(__name__)

# Part of the name of packed weights: raise it when their layout changes.
PACK_VERSION = 1


class NativeRunner(SentenceRunner):
    """A model's packed weights, mapped from the user's cache."""

    def __init__(self, source: WeightSource, num_threads: int) -> None:
        """Maps the packed weights; packs them if this machine has not done so yet.

        Args:
            source: The weights; `library_fits` says whether the library can run them. Packed
                ones are stored under its identity.
            num_threads: Sentences encoded at a time.

        Raises:
            CheckpointError: If files are missing or damaged.
        """
        super().__init__(source, num_threads)
        self._model = NativeModel(_packed_weights(source), source.spec)
        self._plans: Dict[str, NativePlan] = {}
        self._memory = threading.local()

    def prepare(self, plan: PruningPlan, folder: Optional[Path] = None) -> None:
        """Does nothing: all plans run on the same weights."""

    def encode_sentence(
        self,
        embeddings: np.ndarray,
        is_protected: np.ndarray,
        bias: Optional[np.ndarray],
        plan: PruningPlan,
    ) -> ForwardResult:
        """Encodes one sentence; see `SentenceRunner`."""
        active = self._native_plan(plan if plan.prunes(len(embeddings)) else plan.without_pruning)
        scratch = self._scratch(self._model.scratch_size(active, len(embeddings)))
        return ForwardResult(*self._model.encode(active, embeddings, is_protected, bias, scratch))

    def _native_plan(self, plan: PruningPlan) -> NativePlan:
        key = plan.fingerprint()
        found = self._plans.get(key)
        if found is None:
            found = self._plans.setdefault(key, NativePlan(plan))
        return found

    def _scratch(self, size: int) -> np.ndarray:
        """Returns this thread's own memory, kept from call to call."""
        memory: Optional[np.ndarray] = getattr(self._memory, "scratch", None)
        if memory is None or len(memory) < size:
            memory = self._memory.scratch = np.empty(size, dtype=np.uint8)
        return memory


def _packed_weights(source: WeightSource) -> Mapping[str, np.ndarray]:
    name = hashlib.sha256(source.identity.encode()).hexdigest()[:32]
    path = stored_path(f"{name}-int8-v{PACK_VERSION}.safetensors")
    if path is not None and is_stored(path):
        try:
            return map_tensors(path)
        except CheckpointError as error:
            logger.warning("rasa_tokprune.packed_weights_unusable", error=str(error))
    packed = pack_weights(source.load(), source.spec)
    if path is not None and store(serialize_tensors(packed), path):
        return map_tensors(path)
    return packed
