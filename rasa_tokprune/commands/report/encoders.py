"""Encoders of a report: opened by their settings, what they encode kept on disk."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Dict, List, Optional, Sequence, Tuple, Union

import numpy as np

from rasa_tokprune.commands.screen import Screen
from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder, shipped_plans
from rasa_tokprune.encoder.checkpoint.find import find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.default_plan import default_plan, suits
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.texts.embeddings import EmbeddingStore, embed_texts

# So many new texts take seconds, and get a bar.
_MANY = 500


@dataclasses.dataclass(frozen=True)
class Setting:
    """An encoder as the command line names it.

    Attributes:
        model: Folder or hub id.
        prune: Plan; None does what the components do without the key.
        adapter: As for `load_encoder`.
        precision: As for `load_encoder`.
        backend: As for `load_encoder`.
    """

    model: str
    prune: Optional[str]
    adapter: str
    precision: str
    backend: str

    def open(self, num_threads: Optional[int] = None) -> Encoder:
        """Returns the encoder; models that are open already are shared.

        Args:
            num_threads: None takes all cores.

        Raises:
            TokPruneError: If there is no such model or plan.
        """
        plan: Union[str, PruningPlan, None] = self.prune
        if plan is None:
            folder = find_checkpoint(self.model)
            plan = default_plan(folder, EncoderSpec.from_folder(folder))
        return load_encoder(
            self.model,
            prune=plan,
            adapter=self.adapter,
            precision=self.precision,
            backend=self.backend,
            num_threads=num_threads,
        )

    def with_plan(self, prune: str) -> Setting:
        """Returns the same with a plan and the plan's own adapter."""
        return dataclasses.replace(self, prune=prune, adapter=OFF if prune == OFF else AUTO)

    def plan_name(self, encoder: Encoder) -> str:
        """Returns the plan's name on the page: a plan file's without folder and ending."""
        name = encoder.plan.name if self.prune is None else Path(self.prune).stem
        return OFF if encoder.plan.is_identity else name

    def suitable_plans(self) -> List[str]:
        """Returns off and the shipped plans that were made for the encoder."""
        folder = find_checkpoint(self.model)
        spec = EncoderSpec.from_folder(folder)
        return [
            OFF,
            *(
                name
                for name, versions in shipped_plans().items()
                if any(suits(plan, folder, spec) for plan in versions)
            ),
        ]


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
