"""What Rasa's cache cannot see of a component: package version, encoder, adapter, plan."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

import rasa_tokprune
from rasa_tokprune.components.config.encoder import EncoderSettings, adapter_file, plan_file
from rasa_tokprune.encoder.adapters.resolve import resolve_adapter
from rasa_tokprune.encoder.adapters.weight_source import WeightSource
from rasa_tokprune.encoder.backends.choice import choose
from rasa_tokprune.encoder.checkpoint.find import find_checkpoint
from rasa_tokprune.encoder.checkpoint.hub import is_hub_offline
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.default_plan import suits
from rasa_tokprune.encoder.formats import AUTO, NATIVE_ARITHMETIC, Backend, Precision
from rasa_tokprune.encoder.plans.plan import PruningPlan
from rasa_tokprune.encoder.plans.resolve import shipped_plans
from rasa_tokprune.encoder.shared import resolve_device
from rasa_tokprune.encoder.tokens import read_tokenizer
from rasa_tokprune.errors import NotDownloadedError


def is_placeholder(config: Mapping[str, Any]) -> bool:
    """Returns True for the configuration of a node that Rasa answers from its cache.

    Rasa replaces such a node's configuration by the cached output, and still asks the
    component's class for its fingerprint addon.
    """
    return set(config) == {"output"}


def fingerprint_addon(settings: EncoderSettings, messages: Sequence[str] = ()) -> str:
    """Returns what Rasa's cache cannot see: package version, encoder, plan.

    Does not load weights and never downloads. A model that is not on this machine yet counts
    by name, so the training after the one that fetched it runs once more.

    Args:
        settings: Of the encoder.
        messages: Of users, which decide the plan of `prune: auto`.

    Raises:
        TokPruneError: If the settings cannot work; training then stops before it starts.
    """
    content = json.dumps(list(messages)).encode()
    parts: Dict[str, Any] = {
        "version": [rasa_tokprune.__version__, NATIVE_ARITHMETIC],
        "messages": hashlib.sha256(content).hexdigest(),
    }
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
        files = [file for file in (plan_file(settings), adapter_file(settings)) if file]
        contents = [file.read_bytes() for file in files if file.is_file()]
        digests = [hashlib.sha256(content).hexdigest() for content in contents]
        parts["unresolved"] = [settings.model, settings.adapter, *digests]
        return json.dumps(parts, sort_keys=True)
    device = resolve_device(settings.device)
    spec = EncoderSpec.from_folder(folder)
    backend, precision = choose(settings.backend, settings.precision, device, spec)
    spec.check_max_length(settings.max_length)
    plans = _plans(settings, folder, spec, backend, precision)
    tokenizer = read_tokenizer(folder)
    adapters = [resolve_adapter(settings.adapter, plan) for plan in plans]
    sources = [WeightSource.of(folder, spec, tokenizer, adapter) for adapter in adapters]
    parts["identity"] = [source.identity for source in sources]
    parts["plan"] = [plan.fingerprint() for plan in plans]
    parts["runs"] = precision.value if precision is Precision.FP32 else [backend, precision]
    return json.dumps(parts, sort_keys=True)


def _plans(
    settings: EncoderSettings,
    folder: Path,
    spec: EncoderSpec,
    backend: Backend,
    precision: Precision,
) -> List[PruningPlan]:
    """Returns the plan of the settings; with `prune: auto` all that may be taken."""
    if settings.prune != AUTO:
        return [settings.plan_for(folder, spec, backend, precision)]
    plans = [plan for own in shipped_plans().values() for plan in own]
    return [plan for plan in plans if suits(plan, folder, spec)]
