"""Runs sentences through the C library."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Dict, Mapping, Optional, Tuple

import numpy as np
import structlog

from rasa_tokprune.encoder.adapters.weight_source import WeightSource
from rasa_tokprune.encoder.backends.batch import ForwardResult, PackedTokens
from rasa_tokprune.encoder.backends.native.library import NativeModel, Scratch
from rasa_tokprune.encoder.backends.native.pack import checked, pack_weights
from rasa_tokprune.encoder.backends.native.structures import NativePlan
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
            num_threads: Threads for many sentences, one each, or for a single long one.

        Raises:
            CheckpointError: If files are missing or damaged.
        """
        super().__init__(source, num_threads)
        packed = _packed_weights(source)
        self._model = NativeModel(packed, self._words, self._positions, source.spec)
        self._plans: Dict[Tuple[str, bool], NativePlan] = {}
        self._scratch = Scratch()

    @property
    def build(self) -> str:
        """The instruction set that the C library was built for; see `builds`."""
        return self._model.build

    def prepare(self, plan: PruningPlan, folder: Optional[Path] = None) -> None:
        """Does nothing: all plans run on the same weights."""

    def encode_sentence(
        self,
        tokens: PackedTokens,
        bias: Optional[np.ndarray],
        plan: PruningPlan,
        *,
        needs_states: bool,
        n_threads: int,
    ) -> ForwardResult:
        """Encodes one sentence; see `SentenceRunner`."""
        native = self._native_plan(plan, plan.prunes(len(tokens.ids)))
        return self._model.encode(
            native, tokens, bias, self._scratch, needs_states=needs_states, n_threads=n_threads
        )

    def _native_plan(self, plan: PruningPlan, prunes: bool) -> NativePlan:
        key = plan.fingerprint(), prunes
        found = self._plans.get(key)
        if found is None:
            native = NativePlan(plan if prunes else plan.without_pruning)
            found = self._plans.setdefault(key, native)
        return found


def _packed_weights(source: WeightSource) -> Mapping[str, np.ndarray]:
    name = hashlib.sha256(source.identity.encode()).hexdigest()[:32]
    path = stored_path(f"{name}-int8-v{PACK_VERSION}.safetensors")
    if path is not None and is_stored(path):
        try:
            return checked(map_tensors(path), source.spec)
        except CheckpointError as error:
            logger.warning("rasa_tokprune.packed_weights_unusable", error=str(error))
    packed = pack_weights(source.load(), source.spec)
    if path is not None and store(serialize_tensors(packed), path):
        return map_tensors(path)
    return packed
