"""Opens, stores and restores the encoder of a component; knows which one trained what."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Dict, Iterator, Mapping, Optional

from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage

import rasa_tokprune
from rasa_tokprune.components.config import EncoderSettings, plan_file
from rasa_tokprune.components.encoder_record import RECORD_FILE, EncoderRecord
from rasa_tokprune.encoder.backends import Backend, Precision, check_backend, choose, saturates
from rasa_tokprune.encoder.checkpoint import (
    checkpoint_files,
    checkpoint_identity,
    find_checkpoint,
)
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.encoder.hub import is_hub_offline
from rasa_tokprune.encoder.plan import PruningPlan
from rasa_tokprune.encoder.shared import resolve_device, share_model
from rasa_tokprune.encoder.spec import EncoderSpec
from rasa_tokprune.encoder.tokens import read_tokenizer
from rasa_tokprune.errors import ConfigError, NotDownloadedError, StorageError

BUNDLE_FOLDER = "encoder"


def open_encoder(settings: EncoderSettings, *, may_download: bool) -> Encoder:
    """Returns the encoder that the settings ask for.

    Args:
        settings: Checked configuration.
        may_download: Whether files may be fetched where settings.local_files_only is None.

    Raises:
        TokPruneError: If the model or the plan cannot be used.
    """
    return _open(settings, settings.model, None, may_download)


def store_encoder(encoder: Encoder, settings: EncoderSettings, folder: Path) -> None:
    """Writes the encoder's record, and its files if it is to be bundled, to `folder`.

    Raises:
        StorageError: If the folder cannot be written.
    """
    record = EncoderRecord.of(encoder, settings.bundle_encoder)
    try:
        text = json.dumps(dataclasses.asdict(record), indent=1)
        (folder / RECORD_FILE).write_text(text, encoding="utf-8")
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
    encoder = _open(_as_trained(settings, record), model, plan, may_download=False)
    if encoder.model.identity != record.identity:
        raise StorageError(
            f"this model was trained with another encoder: '{settings.model}' has identity "
            f"{encoder.model.identity[:12]} here, training used {str(record.identity)[:12]}; "
            f"install the same model files, or train again"
        )
    check_fingerprint(encoder, str(record.fingerprint))
    return encoder


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
    """Raises StorageError if the stored data were not made by `encoder` with its plan."""
    if stored != encoder.fingerprint:
        raise StorageError(
            f"this model was trained with another pruning plan, max_length, "
            f"prompt or precision (fingerprint {stored[:12]}, now {encoder.fingerprint[:12]}, plan "
            f"'{encoder.plan.name}'); restore the settings, or train again"
        )


def is_placeholder(config: Mapping[str, Any]) -> bool:
    """Returns True for the configuration of a node that Rasa answers from its cache.

    Rasa replaces such a node's configuration by the cached output, and still asks the
    component's class for its fingerprint addon.
    """
    return set(config) == {"output"}


def fingerprint_addon(settings: EncoderSettings) -> str:
    """Returns what Rasa's cache cannot see: package version, encoder, plan.

    Does not load weights and never downloads. A model that is not on this machine yet counts
    by name, so the training after the one that fetched it runs once more.

    Raises:
        TokPruneError: If the settings cannot work; training then stops before it starts.
    """
    parts: Dict[str, Any] = {"version": rasa_tokprune.__version__}
    try:
        folder = find_checkpoint(
            settings.model,
            revision=settings.revision,
            cache_dir=settings.cache_dir,
            local_files_only=True,
        )
    except NotDownloadedError:
        if settings.local_files_only or is_hub_offline():
            raise
        file = plan_file(settings)
        content = file.read_bytes() if file is not None and file.is_file() else b""
        parts["unresolved"] = [settings.model, hashlib.sha256(content).hexdigest()]
        return json.dumps(parts, sort_keys=True)
    device = resolve_device(settings.device)
    spec = EncoderSpec.from_folder(folder)
    backend, precision = choose(settings.backend, settings.precision, device, spec)
    spec.check_max_length(settings.max_length)
    parts["identity"] = checkpoint_identity(folder, spec, read_tokenizer(folder))
    parts["plan"] = settings.plan(spec.n_layers, backend, precision).fingerprint()
    parts["runs"] = precision.value if precision is Precision.FP32 else [backend, precision]
    return json.dumps(parts, sort_keys=True)


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


def _open(
    settings: EncoderSettings,
    model: str,
    plan: Optional[PruningPlan],
    may_download: bool,
) -> Encoder:
    local_files_only = settings.local_files_only
    folder = find_checkpoint(
        model,
        revision=settings.revision,
        cache_dir=settings.cache_dir,
        local_files_only=not may_download if local_files_only is None else local_files_only,
    )
    shared = share_model(
        folder,
        device=settings.device,
        backend=settings.backend,
        precision=settings.precision,
        num_threads=settings.num_threads,
    )
    if plan is None:
        plan = settings.plan(shared.spec.n_layers, shared.backend, shared.precision)
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
