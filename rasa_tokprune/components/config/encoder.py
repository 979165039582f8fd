"""The components' flat configuration: defaults, checks, and what they mean.

Every key is documented in docs/components/; a test holds the two together.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Text, Union

from rasa_tokprune.components.config.checks import check_values
from rasa_tokprune.encoder.checkpoint.find import DEFAULT_MODEL
from rasa_tokprune.encoder.checkpoint.spec import EncoderSpec
from rasa_tokprune.encoder.default_plan import UN_ADAPTED_PLAN, default_plan
from rasa_tokprune.encoder.encoder import DEFAULT_BATCH_SIZE
from rasa_tokprune.encoder.formats import AUTO, Backend, Precision
from rasa_tokprune.encoder.plans.break_even import break_even
from rasa_tokprune.encoder.plans.plan import ADAPTER_SUFFIX, PruneMode, PruningPlan, ThresholdKind
from rasa_tokprune.encoder.plans.resolve import OFF, plan_from_quantile, resolve_plan, shipped_plans
from rasa_tokprune.errors import ConfigError, did_you_mean

ENCODER_DEFAULTS: Dict[Text, Any] = {
    "model": DEFAULT_MODEL,
    "revision": None,
    "cache_dir": None,
    "local_files_only": None,
    "device": "cpu",
    "backend": AUTO,
    "precision": AUTO,
    "num_threads": None,
    "cache_size": 1024,
    "batch_size": DEFAULT_BATCH_SIZE,
    "max_length": None,
    "prune": None,
    "adapter": AUTO,
    "quantile": None,
    "prune_layers": None,
    "prune_mode": None,
    "min_tokens": None,
    "bundle_encoder": False,
}
_OVERRIDES = ("quantile", "prune_layers", "prune_mode", "min_tokens")


@dataclasses.dataclass(frozen=True)
class EncoderSettings:
    """A component's checked encoder settings; see docs/components/encoder-keys.md."""

    model: str
    revision: Optional[str]
    cache_dir: Optional[str]
    local_files_only: Optional[bool]
    device: str
    backend: str
    precision: str
    num_threads: Optional[int]
    cache_size: int
    batch_size: int
    max_length: Optional[int]
    prune: Optional[str]
    adapter: str
    quantile: Union[None, float, List[float]]
    prune_layers: Optional[List[int]]
    prune_mode: Optional[str]
    min_tokens: Union[None, int, str]
    bundle_encoder: bool

    @classmethod
    def from_config(
        cls, config: Mapping[Text, Any], extra_keys: Sequence[str] = ()
    ) -> EncoderSettings:
        """Checks a component's configuration.

        Args:
            config: Flat configuration, defaults filled in or not.
            extra_keys: Keys the component has besides the encoder's.

        Raises:
            ConfigError: If a key is unknown, or a value is wrong or contradicts another.
        """
        valid = [*ENCODER_DEFAULTS, *extra_keys]
        for key in config:
            if key not in valid:
                raise ConfigError(
                    f"unknown key '{key}'.{did_you_mean(str(key), valid)} "
                    f"Valid keys: {', '.join(valid)}"
                )
        values = {key: config.get(key, default) for key, default in ENCODER_DEFAULTS.items()}
        for key in ("prune", "adapter"):
            if values[key] is False:  # YAML 1.1 reads a bare `off` as false
                values[key] = OFF
        if values["num_threads"] == AUTO:
            values["num_threads"] = None
        check_values(values, _OVERRIDES)
        return cls(**values)

    def un_pruned(self) -> EncoderSettings:
        """Returns the settings of the original encoder: no plan, and no adapter of one."""
        no_overrides: Dict[str, Any] = dict.fromkeys(_OVERRIDES)
        return dataclasses.replace(self, prune=OFF, adapter=OFF, **no_overrides)

    def plan_for(
        self, folder: Path, spec: EncoderSpec, backend: Backend, precision: Precision
    ) -> PruningPlan:
        """Returns the plan for an encoder: what these settings say, or the default.

        Args:
            folder: The checkpoint.
            spec: Its specification.
            backend: Where it will run; decides what `min_tokens: auto` is.
            precision: In which number format.

        Raises:
            ConfigError: If the plan does not fit or an override contradicts it.
        """
        if self.prune is None and not self._given_overrides():
            return default_plan(folder, spec)
        return self.plan(spec.n_layers, backend, precision)

    def plan(self, n_layers: int, backend: Backend, precision: Precision) -> PruningPlan:
        """Returns the plan that is asked for; overrides alone change the plan `gentle`.

        Args:
            n_layers: Layers of the encoder.
            backend: As for `plan_for`.
            precision: As for `plan_for`.

        Raises:
            ConfigError: If the plan does not fit or an override contradicts it.
        """
        overrides = self._given_overrides()
        base = self._base_plan(n_layers)
        if overrides.get("min_tokens") == AUTO:
            overrides["min_tokens"] = break_even(backend, precision)
        if not overrides:
            return base
        layers = list(base.pruned_layers) if self.prune_layers is None else self.prune_layers
        if not layers or (self.quantile is None and not base.pruned_layers):
            raise ConfigError(
                f"{next(iter(overrides))}: plan '{base.name}' prunes after no layer, so there is "
                f"nothing to override; give both quantile and prune_layers"
            )
        changed = ", ".join(f"{key}={value}" for key, value in overrides.items())
        by_quantile = plan_from_quantile(
            self._thresholds(base, layers) if self.quantile is None else self.quantile,
            layers,
            n_layers,
            mode=PruneMode(self.prune_mode) if self.prune_mode else base.mode,
            min_tokens=overrides.get("min_tokens", base.min_tokens),
            name=f"{base.name} with {changed}",
            kind=base.kind if self.quantile is None else ThresholdKind.QUANTILE,
        )
        return dataclasses.replace(
            by_quantile,
            kept_layers=base.kept_layers,
            drop_end=base.drop_end,
            adapter=base.adapter,
        )

    def _given_overrides(self) -> Dict[str, Any]:
        overrides = {key: getattr(self, key) for key in _OVERRIDES}
        return {key: value for key, value in overrides.items() if value is not None}

    def _base_plan(self, n_layers: int) -> PruningPlan:
        """Returns the plan that overrides change."""
        name = self.prune or UN_ADAPTED_PLAN
        versions = shipped_plans().get(name, [])
        if not versions or any(plan.n_layers == n_layers for plan in versions):
            return resolve_plan(name, n_layers)
        if self.quantile is not None and self.prune_layers is not None:
            # Quantile and layers make a plan for this depth; mode and length are the name's.
            return dataclasses.replace(
                PruningPlan.identity(n_layers),
                mode=versions[0].mode,
                min_tokens=versions[0].min_tokens,
                name=name,
            )
        if self.prune is None:  # the user asked for no plan, and there is none for this depth
            return PruningPlan.identity(n_layers)
        return resolve_plan(name, n_layers)

    def _thresholds(self, base: PruningPlan, layers: Sequence[int]) -> List[float]:
        """Returns the base plan's thresholds for `layers`, which may be other than its own."""
        if self.prune_layers is None:
            return [base.thresholds[layer] for layer in layers]
        known = {base.thresholds[layer] for layer in base.pruned_layers}
        if len(known) > 1:
            raise ConfigError(
                f"prune_layers: plan '{base.name}' has different thresholds for its layers; "
                f"give quantile too"
            )
        return [known.pop()] * len(layers)


def plan_file(settings: EncoderSettings) -> Optional[Path]:
    """Returns the plan file the settings name, if any."""
    if settings.prune is not None and settings.prune.endswith(".json"):
        return Path(settings.prune).expanduser()
    return None


def adapter_file(settings: EncoderSettings) -> Optional[Path]:
    """Returns the adapter file the settings name, if any."""
    is_file = settings.adapter.endswith(ADAPTER_SUFFIX)
    return Path(settings.adapter).expanduser() if is_file else None
