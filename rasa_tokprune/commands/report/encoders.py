"""Encoders of a report: opened by their settings, what they encode kept on disk."""

from __future__ import annotations

import dataclasses
from typing import Dict, List, Sequence, Tuple

import numpy as np

from rasa_tokprune.commands.evaluate.encoders import EncoderChoice
from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.checkpoint.find import find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.default_plan import shipped_plans_for
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.texts.embeddings import EmbeddingStore, embed_texts

# So many new texts take seconds, and get a bar.
_MANY = 500


class Setting(EncoderChoice):
    """An encoder as the command line of a report names it."""

    def with_plan(self, prune: str) -> Setting:
        """Returns the same with a plan and the plan's own adapter."""
        return dataclasses.replace(self, prune=prune, adapter=OFF if prune == OFF else AUTO)

    def shown_plan(self, encoder: Encoder) -> str:
        """Returns the plan's name on the page, off for whatever prunes nothing."""
        return OFF if encoder.plan.is_identity else self.plan_name or encoder.plan.name

    def suitable_plans(self) -> List[str]:
        """Returns off and the shipped plans that were made for the encoder."""
        folder = find_checkpoint(self.model)
        return [OFF, *shipped_plans_for(folder, EncoderSpec.from_folder(folder))]


class StoredEncoder:
    """An encoder that encodes a text once: in this process, and on this machine."""

    def __init__(self, encoder: Encoder, store: EmbeddingStore, screen: Screen, name: str) -> None:
        """Keeps embeddings where `store` does; `name` stands before its progress bars."""
        self.encoder = encoder
        self._store, self._screen, self._name = store, screen, name
        self._known: Dict[str, np.ndarray] = {}

    def encode(self, texts: Sequence[str], *, zero_blank: bool = False) -> np.ndarray:
        """Returns embeddings, (n_texts, d); zeros for texts without content."""
        missing = [text for text in dict.fromkeys(texts) if text not in self._known]
        if missing:
            name = f"Encoding, {self._name}" if len(missing) > _MANY else ""
            bar = self._screen.progress_name(name) if name else None
            self._known.update(embed_texts(self.encoder, missing, self._store, bar))
        found = [self._known[text] for text in texts]
        return np.array(found, dtype=np.float32).reshape(-1, self.encoder.embedding_size)

    def read(
        self, texts: Sequence[str], *, zero_blank: bool = False
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Returns embeddings and the share of each text that the encoder can read."""
        return self.encode(texts), self.encoder.readable_shares(texts)
