"""What a trained component remembers of its encoder."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Dict, Optional

import rasa_tokprune
from rasa_tokprune.encoder.backends.choice import saturates
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.encoder.formats import AUTO, Precision
from rasa_tokprune.errors import StorageError

RECORD_FILE = "encoder.json"
ADAPTER_FILE = "adapter.safetensors"


@dataclasses.dataclass(frozen=True)
class EncoderRecord:
    """What a trained component remembers of its encoder.

    Attributes:
        plugin_version: Version of this package that trained the component.
        identity: Hash of weights, adapter, vocabulary and specification.
        fingerprint: Hash of identity, plan, length, prompt and precision.
        plan: The whole plan, so that a plan file edited later changes nothing.
        precision: Number format of its matrix products; it goes on in the same one.
        backend: What ran them. Only where that decides the numbers does it have to go on there.
        saturates: True if 8-bit products lost their largest values on the CPU of the training.
        adapter: File of the adapter in the component's folder; None if there is none.
        is_bundled: True if the encoder's files are stored with the component.
    """

    plugin_version: str
    identity: str
    fingerprint: str
    plan: Dict[str, Any]
    is_bundled: bool
    precision: str = Precision.FP32.value
    backend: str = AUTO
    saturates: bool = False
    adapter: Optional[str] = None

    @classmethod
    def of(cls, encoder: Encoder, is_bundled: bool) -> EncoderRecord:
        """Returns the record of an encoder in use."""
        return cls(
            rasa_tokprune.__version__,
            encoder.model.identity,
            encoder.fingerprint,
            # Its adapter lies in the component's folder, whatever its file was called.
            dataclasses.replace(encoder.plan, adapter=None).to_dict(),
            is_bundled,
            encoder.model.precision.value,
            encoder.model.backend.value,
            saturates(encoder.model.backend, encoder.model.precision),
            ADAPTER_FILE if encoder.model.adapter is not None else None,
        )

    @classmethod
    def read(cls, folder: Path) -> EncoderRecord:
        """Returns the record stored in a component's folder.

        Raises:
            StorageError: If it is missing or damaged.
        """
        path = folder / RECORD_FILE
        try:
            return cls(**json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise StorageError(f"'{path}' cannot be read: {error}; train again") from error
