"""Where an encoder's weights come from: a checkpoint, perhaps with an adapter merged in."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path
from typing import Optional

from rasa_tokprune.encoder.adapters.adapter import Adapter, add_adapter
from rasa_tokprune.encoder.checkpoint.find import checkpoint_identity
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.checkpoint.weights import EncoderWeights, load_weights


@dataclasses.dataclass(frozen=True)
class WeightSource:
    """A checkpoint and what is added to it.

    Attributes:
        folder: The checkpoint.
        spec: Its specification.
        identity: Hash of all that decides its embeddings, the adapter included.
        adapter: Added to its weights; None adds nothing.
    """

    folder: Path
    spec: EncoderSpec
    identity: str
    adapter: Optional[Adapter] = None

    @classmethod
    def of(
        cls, folder: Path, spec: EncoderSpec, tokenizer_content: str, adapter: Optional[Adapter]
    ) -> WeightSource:
        """Returns the source for a checkpoint with an adapter.

        Raises:
            ConfigError: If the adapter was trained for another checkpoint.
        """
        base = checkpoint_identity(folder, spec, tokenizer_content)
        if adapter is None:
            return cls(folder, spec, base)
        adapter.check_fits(base)
        joined = hashlib.sha256(f"{base}\n{adapter.identity}".encode()).hexdigest()
        return cls(folder, spec, joined, adapter)

    def load(self) -> EncoderWeights:
        """Loads the weights, float32, adapter merged in.

        Raises:
            CheckpointError: If files are missing or damaged.
            ConfigError: If the adapter does not fit.
        """
        weights = load_weights(self.folder, self.spec)
        return weights if self.adapter is None else add_adapter(weights, self.adapter)
