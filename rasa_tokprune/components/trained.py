"""What the trained components keep in a model: prototypes, and the encoder that made them."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import List

from rasa_tokprune.components.config.encoder import EncoderSettings
from rasa_tokprune.components.encoder_access import (
    check_fingerprint,
    check_version,
    provenance,
    restore_encoder,
    store_encoder,
)
from rasa_tokprune.components.encoder_record import RECORD_FILE
from rasa_tokprune.components.training import TrainedIntents
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.errors import StorageError
from rasa_tokprune.fewshot import (
    PrototypeClassifier,
    load_examples,
    load_prototypes,
    save_prototypes,
)
from rasa_tokprune.fewshot.storage import (
    ARRAYS_FILE,
    EXAMPLES_FILE,
    LEXICAL_ARRAYS_FILE,
    LEXICAL_NAMES_FILE,
    NAMES_FILE,
)
from rasa_tokprune.machine.checksums import changed_file, write_checksums
from rasa_tokprune.monitoring.watch import Watch, watch

# What decides the answers. An adapter and a bundled encoder are checked by the encoder's identity.
_CHECKED = (
    ARRAYS_FILE, NAMES_FILE, EXAMPLES_FILE, LEXICAL_ARRAYS_FILE, LEXICAL_NAMES_FILE, RECORD_FILE,
)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Restored:
    """What a component needs to answer.

    Attributes:
        encoder: That of the training.
        prototypes: Fitted on its embeddings.
        examples: Texts of the support set.
        watch: Looks at how the component answers.
    """

    encoder: Encoder
    prototypes: PrototypeClassifier
    examples: List[str]
    watch: Watch


def store_trained(
    trained: TrainedIntents, encoder: Encoder, settings: EncoderSettings, folder: Path
) -> None:
    """Writes everything that `restore_trained` reads, and the report.

    Raises:
        StorageError: If the folder cannot be written.
    """
    save_prototypes(
        trained.classifier,
        folder,
        provenance(encoder),
        examples=trained.texts,
        report=trained.report,
    )
    store_encoder(encoder, settings, folder)
    try:
        write_checksums(folder, (name for name in _CHECKED if (folder / name).is_file()))
    except OSError as error:
        raise StorageError(
            f"checksums cannot be written to '{folder}': {error.strerror}; check that there is "
            f"space and permission to write"
        ) from error


def restore_trained(settings: EncoderSettings, folder: Path, component: str) -> Restored:
    """Reads what `store_trained` wrote, and opens the encoder.

    Args:
        settings: Of the encoder.
        folder: Where it was written.
        component: The component's class, which metrics name.

    Raises:
        StorageError: If a file is damaged, of another model, or of another encoder, plan or major
            version of this package.
        CheckpointError: If the encoder's files are not there.
    """
    prototypes, stored = load_prototypes(folder)
    examples = load_examples(folder, n_least=int(prototypes.sources.max()) + 1)
    check_version(stored.get("plugin_version", "unknown"))
    encoder = restore_encoder(settings, folder)
    check_fingerprint(encoder, stored.get("encoder_fingerprint", "unknown"))
    _check_unchanged(folder)
    own = watch(component)
    return Restored(own.encoder(encoder), prototypes, examples, own)


def _check_unchanged(folder: Path) -> None:
    """Raises StorageError if a file is not the one that training stored.

    Last: what can be said more exactly is said before. Models of earlier versions have no record.
    """
    try:
        changed = changed_file(folder)
    except (OSError, ValueError) as error:
        raise StorageError(f"'{folder}' cannot be checked: {error}; train again") from error
    if changed is not None:
        raise StorageError(
            f"'{folder / changed}' is not the file that training stored there: it was damaged, "
            f"edited or taken from another model; train again"
        )
