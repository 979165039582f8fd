"""A checkpoint with the plan and the adapter it runs with: found and checked, stored, restored."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple, Union

from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.adapters.resolve import resolve_adapter, shipped_card
from rasa_tokprune.encoder.checkpoint.copies import copy_checkpoint, write_json
from rasa_tokprune.encoder.checkpoint.find import (
    DEFAULT_MODEL,
    checkpoint_identity,
    find_checkpoint,
)
from rasa_tokprune.encoder.checkpoint.modules import read_json
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.encoder.plans.resolve import OFF, resolve_plan
from rasa_tokprune.encoder.tokens import read_tokenizer
from rasa_tokprune.errors import CheckpointError, os_error_line

# Of a stored one. `load_encoder(folder / CHECKPOINT, prune=folder / PLAN)` opens it too.
CHECKPOINT, PLAN, ADAPTER = "encoder", "plan.json", "adapter.safetensors"
ADAPTER_CARD, SETTINGS = "ADAPTER.md", "pruned_encoder.json"
_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class PrunedCheckpoint:
    """What decides embeddings, but for number format and length.

    Attributes:
        folder: The checkpoint.
        spec: Its specification.
        plan: The plan, for encoders with its number of layers.
        adapter: What is added to its weights, made for this checkpoint; None for nothing.
        identity: Hash of the checkpoint without adapter.
    """

    folder: Path
    spec: EncoderSpec
    plan: PruningPlan
    adapter: Optional[Adapter]
    identity: str

    @classmethod
    def find(
        cls,
        model: str = "",
        prune: Union[str, Path, PruningPlan] = OFF,
        adapter: Union[str, Path, Adapter] = AUTO,
        revision: Optional[str] = None,
        cache_dir: Optional[str] = None,
        local_files_only: bool = False,
    ) -> PrunedCheckpoint:
        """Finds and checks all three; arguments and errors are those of `load_encoder`."""
        folder = find_checkpoint(
            model or DEFAULT_MODEL,
            revision=revision,
            cache_dir=cache_dir,
            local_files_only=local_files_only,
        )
        spec = EncoderSpec.from_folder(folder)
        plan = resolve_plan(prune, spec.n_layers)
        found = resolve_adapter(adapter, plan)
        identity = checkpoint_identity(folder, spec, read_tokenizer(folder))
        if found is not None:
            found.check_fits(identity)
        return cls(folder, spec, plan, found, identity)

    @property
    def identities(self) -> Dict[str, Optional[str]]:
        """Hashes of checkpoint, plan and adapter, as JSON."""
        adapter = self.adapter.identity if self.adapter is not None else None
        return {"encoder": self.identity, "plan": self.plan.fingerprint(), "adapter": adapter}

    def save(self, target: Path, settings: Mapping[str, Any]) -> None:
        """Writes everything that opens it elsewhere to a folder, weights as safetensors.

        Args:
            target: The folder; made if need be.
            settings: JSON values to keep with it.

        Raises:
            CheckpointError: If a file of the checkpoint is missing, or one cannot be written.
        """
        stored = dataclasses.replace(self.plan, adapter=ADAPTER if self.adapter else None)
        try:
            target.mkdir(parents=True, exist_ok=True)
            copy_checkpoint(self.folder, self.spec, target / CHECKPOINT)
            stored.save(target / PLAN)
            for name in (ADAPTER, ADAPTER_CARD):
                (target / name).unlink(missing_ok=True)
            if self.adapter is not None:
                self.adapter.save(target / ADAPTER)
                card = shipped_card(self.adapter)
                if card is not None:
                    (target / ADAPTER_CARD).write_text(card, encoding="utf-8")
            content = {"format": _FORMAT, **settings, "identities": self.identities}
            write_json(content, target / SETTINGS)
        except OSError as error:
            raise CheckpointError(
                f"'{target}' cannot be written: {os_error_line(error)}"
            ) from error

    @classmethod
    def load(
        cls, folder: Path, needed: Sequence[str]
    ) -> Tuple[PrunedCheckpoint, Mapping[str, Any]]:
        """Opens what `save` wrote; returns it with the settings.

        Args:
            folder: Where.
            needed: Names of settings that have to be there.

        Raises:
            CheckpointError: If a file is missing or not the one that was saved.
            ConfigError: If plan or adapter cannot be read.
        """
        settings = read_json(folder / SETTINGS)
        if not isinstance(settings, dict) or settings.get("format") != _FORMAT:
            raise CheckpointError(
                f"'{folder / SETTINGS}' is not of format {_FORMAT}, the one that this version of "
                f"rasa-tokprune reads; update it, or save the model anew"
            )
        for key in (*needed, "identities"):
            if key not in settings:
                raise CheckpointError(
                    f"'{folder / SETTINGS}' lacks the key '{key}'; copy the whole folder again"
                )
        checkpoint = folder / CHECKPOINT
        if not checkpoint.is_dir():
            raise CheckpointError(f"'{checkpoint}' is missing; copy the whole folder again")
        spec = EncoderSpec.from_folder(checkpoint)
        identity = checkpoint_identity(checkpoint, spec, read_tokenizer(checkpoint))
        plan = resolve_plan(folder / PLAN, spec.n_layers)
        loaded = cls(checkpoint, spec, plan, resolve_adapter(AUTO, plan), identity)
        if loaded.identities != settings["identities"]:
            loaded._tell_difference(folder, settings["identities"])
        return loaded, settings

    def _tell_difference(self, folder: Path, expected: Any) -> None:
        for name, found in self.identities.items():
            wanted = expected.get(name) if isinstance(expected, dict) else expected
            if wanted != found:
                raise CheckpointError(
                    f"the {name} in '{folder}' is not the one that was saved: its identity is "
                    f"{str(found)[:12]}, expected {str(wanted)[:12]}; copy the whole folder again, "
                    f"or save the model anew"
                )
