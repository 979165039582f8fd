"""Opens, stores and restores the encoder of a component; knows which one trained what."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import shutil
from pathlib import Path
from typing import Iterator, Mapping, Optional

import structlog
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage

import rasa_tokprune
from rasa_tokprune.components.config.encoder import EncoderSettings
from rasa_tokprune.components.encoder_record import ADAPTER_FILE, RECORD_FILE, EncoderRecord
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.adapters.resolve import resolve_adapter
from rasa_tokprune.encoder.backends.choice import check_backend, choose, saturates
from rasa_tokprune.encoder.checkpoint.find import checkpoint_files, find_checkpoint
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.encoder.formats import NATIVE_ARITHMETIC, Backend, Precision
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.encoder.shared import resolve_device, share_model
from rasa_tokprune.errors import AdapterMisfitError, ConfigError, StorageError

logger = structlog.get_logger(__name__)

BUNDLE_FOLDER = "encoder"


def open_encoder(settings: EncoderSettings, *, may_download: bool) -> Encoder:
    """Returns the encoder that the settings ask for.

    Args:
        settings: Checked configuration.
        may_download: Whether files may be fetched where settings.local_files_only is None.

    Raises:
        TokPruneError: If the model or the plan cannot be used.
    """
    folder = _find(settings, settings.model, may_download)
    spec = EncoderSpec.from_folder(folder)
    device = resolve_device(settings.device)
    backend, precision = choose(settings.backend, settings.precision, device, spec)
    plan = settings.plan_for(folder, spec, backend, precision)
    adapter = resolve_adapter(settings.adapter, plan)
    return _open(settings, folder, plan, adapter)


def store_encoder(encoder: Encoder, settings: EncoderSettings, folder: Path) -> None:
    """Writes the encoder's record, and its files if it is to be bundled, to `folder`.

    Raises:
        StorageError: If the folder cannot be written.
    """
    record = EncoderRecord.of(encoder, settings.bundle_encoder)
    try:
        text = json.dumps(dataclasses.asdict(record), indent=1)
        (folder / RECORD_FILE).write_text(text, encoding="utf-8")
        if encoder.model.adapter is not None:
            encoder.model.adapter.save(folder / ADAPTER_FILE)
        if settings.bundle_encoder:
            _copy_checkpoint(encoder, folder / BUNDLE_FOLDER)
    except OSError as error:
        raise StorageError(
            f"the encoder's record cannot be written to '{folder}': {error.strerror}; "
            f"check that there is space and permission to write"
        ) from error


@contextlib.contextmanager
def read_if_stored(model_storage: ModelStorage, resource: Resource) -> Iterator[Optional[Path]]:
    """Yields the folder a component stored its data in; None if it never stored any."""
    with contextlib.ExitStack() as stack:
        try:
            # Rasa raises a bare ValueError here; Rasa's config errors are ValueErrors too.
            folder: Optional[Path] = stack.enter_context(model_storage.read_from(resource))
        except ValueError:
            folder = None
        yield folder


def restore_encoder(settings: EncoderSettings, folder: Path) -> Encoder:
    """Returns the encoder a component was trained with.

    Nothing is downloaded unless the user set local_files_only: false.

    Raises:
        StorageError: If the encoder found here is not the one of the training.
        CheckpointError: If the encoder's files are not there.
    """
    record = EncoderRecord.read(folder)
    check_version(str(record.plugin_version))
    plan = PruningPlan.from_dict(record.plan, source=f"the plan stored in '{folder}'")
    model = str(folder / BUNDLE_FOLDER) if record.is_bundled else settings.model
    adapter = _stored_adapter(record, folder)
    checkpoint = _find(settings, model, may_download=False)
    try:
        encoder = _open(_as_trained(settings, record), checkpoint, plan, adapter)
    except AdapterMisfitError as error:
        raise _another_encoder(settings, str(error)) from error
    if encoder.model.identity != record.identity:
        raise _another_encoder(
            settings,
            f"it has identity {encoder.model.identity[:12]} here, training used "
            f"{str(record.identity)[:12]}",
        )
    check_fingerprint(encoder, str(record.fingerprint))
    if record.fingerprint != encoder.fingerprint:
        logger.warning(
            "rasa_tokprune.trained_by_an_earlier_version",
            hint="its embeddings were rounded a little otherwise, so that a few confidences and "
            "answers may differ from those of the training; train again to have them exact",
        )
    return encoder


def _another_encoder(settings: EncoderSettings, why: str) -> StorageError:
    return StorageError(
        f"this model was trained with another encoder than '{settings.model}' is here: {why}; "
        f"install the same model files, or train again"
    )


def _stored_adapter(record: EncoderRecord, folder: Path) -> Optional[Adapter]:
    if record.adapter is None:
        return None
    try:
        return Adapter.load(folder / Path(str(record.adapter)).name)
    except ConfigError as error:
        raise StorageError(f"the trained model is damaged: {error}; train again") from error


def _as_trained(settings: EncoderSettings, record: EncoderRecord) -> EncoderSettings:
    """Returns settings that give the numbers of the training, whatever is fastest here.

    Raises:
        StorageError: If this machine cannot give them.
    """
    settings = dataclasses.replace(settings, precision=str(record.precision))
    if record.precision == Precision.FP32:
        return settings
    advice = "; or train again with precision: fp32, which every machine can serve"
    if record.precision == Precision.INT8:  # on the CPU, even if there is a GPU here
        settings = dataclasses.replace(settings, device="cpu")
    try:
        backend, precision = Backend(record.backend), Precision(record.precision)
        check_backend(backend, settings.device)
    except (ConfigError, ValueError) as error:
        raise StorageError(
            f"this model was trained with backend '{record.backend}', precision "
            f"'{record.precision}', which this machine cannot run: {error}{advice}"
        ) from error
    if saturates(backend, precision) != record.saturates:
        raise StorageError(
            f"this model was trained with 8-bit products on ONNX Runtime, which come out otherwise "
            f"on this CPU (without VNNI they saturate){advice}"
        )
    return dataclasses.replace(settings, backend=backend.value)


def check_version(stored: str) -> None:
    """Raises StorageError if another major version of this package stored the data."""
    current = rasa_tokprune.__version__
    if stored.split(".")[0] != current.split(".")[0]:
        raise StorageError(
            f"this model was trained with rasa-tokprune {stored}, but {current} is installed; "
            f"install the same major version, or train again"
        )


def check_fingerprint(encoder: Encoder, stored: str) -> None:
    """Raises StorageError if the stored data were not made by `encoder` with its plan.

    Data that the arithmetic of an earlier version made are taken: they differ in rounding alone.
    """
    known = [encoder.fingerprint_with(number) for number in range(1, NATIVE_ARITHMETIC + 1)]
    if stored not in known:
        raise StorageError(
            f"this model was trained with another pruning plan, max_length, "
            f"prompt or precision (fingerprint {stored[:12]}, now {encoder.fingerprint[:12]}, plan "
            f"'{encoder.plan.name}'); restore the settings, or train again"
        )


def _copy_checkpoint(encoder: Encoder, target: Path) -> None:
    if encoder.folder is None or encoder.folder.resolve() == target.resolve():
        return  # finetuning a bundled model writes where it was read
    for name in checkpoint_files(encoder.folder, encoder.model.spec):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(encoder.folder / name, target / name)


def provenance(encoder: Encoder) -> Mapping[str, str]:
    """Returns what stored prototypes say about their making."""
    return {
        "plugin_version": rasa_tokprune.__version__,
        "encoder_fingerprint": encoder.fingerprint,
    }


def _find(settings: EncoderSettings, model: str, may_download: bool) -> Path:
    local_files_only = settings.local_files_only
    return find_checkpoint(
        model,
        revision=settings.revision,
        cache_dir=settings.cache_dir,
        local_files_only=not may_download if local_files_only is None else local_files_only,
    )


def _open(
    settings: EncoderSettings, folder: Path, plan: PruningPlan, adapter: Optional[Adapter]
) -> Encoder:
    shared = share_model(
        folder,
        device=settings.device,
        backend=settings.backend,
        precision=settings.precision,
        num_threads=settings.num_threads,
        adapter=adapter,
    )
    encoder = Encoder(
        shared,
        plan,
        folder=folder,
        max_length=settings.max_length,
        batch_size=settings.batch_size,
        cache_size=settings.cache_size,
    )
    # The first calls pay for allocations; the long text is one that a plan prunes.
    encoder.encode_detailed(["warm up", "warm up " * 50])
    return encoder
