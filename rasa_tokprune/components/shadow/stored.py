"""What shadow mode needs of a training: prototypes by the un-pruned encoder, in the model."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Mapping, NamedTuple, Optional, Sequence

import structlog
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.components.auto_plan import training_set
from rasa_tokprune.components.config.decisions import DecisionSettings
from rasa_tokprune.components.config.encoder import EncoderSettings
from rasa_tokprune.components.encoder_access import check_fingerprint, open_encoder, provenance
from rasa_tokprune.components.shadow.compare import Shadow
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.errors import StorageError, TokPruneError, os_error_line
from rasa_tokprune.fewshot import PrototypeClassifier, load_prototypes, save_prototypes
from rasa_tokprune.monitoring.watch import Watch

logger = structlog.get_logger(__name__)

SHADOW_FOLDER = "shadow"


class UnPruned(NamedTuple):
    """The bot as the un-pruned encoder sees it.

    Attributes:
        classifier: Fitted to the same examples.
        provenance: Says which encoder that is.
    """

    classifier: PrototypeClassifier
    provenance: Mapping[str, str]


def train_un_pruned(
    examples: Sequence[Message],
    encoder: Encoder,
    settings: EncoderSettings,
    decisions: DecisionSettings,
) -> Optional[UnPruned]:
    """Returns the bot by the un-pruned encoder; None if no message will be answered so.

    Args:
        examples: Training messages with intents.
        encoder: That of the training.
        settings: Of that encoder.
        decisions: With `shadow_rate`.

    Raises:
        TokPruneError: If the un-pruned encoder cannot be opened.
    """
    if not decisions.shadow_rate:
        return None
    un_pruned = open_encoder(_un_pruned(settings, encoder), may_download=True)
    if un_pruned.fingerprint == encoder.fingerprint:
        logger.warning(
            "rasa_tokprune.nothing_to_shadow",
            hint=f"shadow_rate: {decisions.shadow_rate} compares with the un-pruned encoder, and "
            f"plan '{encoder.plan.name}' prunes nothing; set another plan, or shadow_rate: 0",
        )
        return None
    bot = training_set(un_pruned, examples, decisions)
    return UnPruned(bot.classifier, provenance(un_pruned))


def store_un_pruned(bot: Optional[UnPruned], folder: Path) -> None:
    """Writes what `restore_shadow` reads; of None, removes what an earlier training left.

    Raises:
        StorageError: If the folder cannot be written.
    """
    place = folder / SHADOW_FOLDER
    try:
        if bot is None:
            shutil.rmtree(place, ignore_errors=True)
            return
        place.mkdir(exist_ok=True)
    except OSError as error:
        raise StorageError(f"shadow_rate: {os_error_line(error)}") from error
    save_prototypes(bot.classifier, place, bot.provenance)


def restore_shadow(
    decisions: DecisionSettings,
    settings: EncoderSettings,
    encoder: Encoder,
    folder: Path,
    watch: Watch,
) -> Optional[Shadow]:
    """Returns what answers un-pruned; None if nothing does, which stops no bot.

    Args:
        decisions: With `shadow_rate`.
        settings: Of the encoder.
        encoder: The one that answers.
        folder: Where `store_un_pruned` wrote; Rasa deletes it after loading.
        watch: Counts what differs.
    """
    place = folder / SHADOW_FOLDER
    if not decisions.shadow_rate or not place.is_dir():
        return None
    try:
        classifier, stored = load_prototypes(place)
        own = _un_pruned(settings, encoder)

        def open_it() -> Encoder:
            opened = open_encoder(own, may_download=False)
            check_fingerprint(opened, stored.get("encoder_fingerprint", "unknown"))
            return opened

        shadow = Shadow(decisions.shadow_rate, classifier, open_it, watch)
        if settings.bundle_encoder:  # its files are there only now
            shadow.open()
    except (TokPruneError, OSError) as error:
        logger.warning("rasa_tokprune.no_shadow", reason=str(error))
        return None
    return shadow


def _un_pruned(settings: EncoderSettings, encoder: Encoder) -> EncoderSettings:
    """Returns the settings of the un-pruned encoder, which runs where and as `encoder` does."""
    return dataclasses.replace(
        settings.un_pruned(),
        model=settings.model if encoder.folder is None else str(encoder.folder),
        backend=encoder.model.backend.value,
        precision=encoder.model.precision.value,
        device=encoder.model.device,
    )
