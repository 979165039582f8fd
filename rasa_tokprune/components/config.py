"""The components' flat configuration: defaults, checks, and what they mean.

Every key is documented in docs/configuration.md; a test holds the two together.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Text, Union

from rasa_tokprune.encoder.backends import AUTO, Backend, Precision
from rasa_tokprune.encoder.break_even import break_even
from rasa_tokprune.encoder.checkpoint import DEFAULT_MODEL
from rasa_tokprune.encoder.encoder import DEFAULT_BATCH_SIZE
from rasa_tokprune.encoder.plan import PruneMode, PruningPlan, ThresholdKind
from rasa_tokprune.encoder.plans import OFF, plan_from_quantile, resolve_plan, shipped_plans
from rasa_tokprune.errors import ConfigError, did_you_mean

DEFAULT_PLAN = "gentle"

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
    "quantile": None,
    "prune_layers": None,
    "prune_mode": None,
    "min_tokens": None,
    "bundle_encoder": False,
}
_OVERRIDES = ("quantile", "prune_layers", "prune_mode", "min_tokens")


@dataclasses.dataclass(frozen=True)
class EncoderSettings:
    """The checked encoder part of a component's configuration; see docs/configuration.md."""

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
        if values["prune"] is False:  # YAML 1.1 reads a bare `off` as false
            values["prune"] = OFF
        if values["num_threads"] == AUTO:
            values["num_threads"] = None
        _check_values(values)
        return cls(**values)

    def plan(self, n_layers: int, backend: Backend, precision: Precision) -> PruningPlan:
        """Returns the plan these settings ask for.

        Args:
            n_layers: Layers of the encoder.
            backend: Where it will run; decides what `min_tokens: auto` is.
            precision: In which number format.

        Raises:
            ConfigError: If the plan does not fit or an override contradicts it.
        """
        overrides = {key: getattr(self, key) for key in _OVERRIDES}
        overrides = {key: value for key, value in overrides.items() if value is not None}
        base = self._base_plan(n_layers)
        if overrides.get("min_tokens") == AUTO:
            overrides["min_tokens"] = break_even(backend, precision)
        if not overrides:
            return self._where_it_pays(base, backend, precision)
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
        return dataclasses.replace(by_quantile, kept_layers=base.kept_layers)

    def _where_it_pays(
        self, base: PruningPlan, backend: Backend, precision: Precision
    ) -> PruningPlan:
        """Keeps the default plan off texts that it would make slower; a plan asked for stays."""
        if self.prune is not None or not base.pruned_layers:
            return base
        least = max(base.min_tokens, break_even(backend, precision))
        return dataclasses.replace(base, min_tokens=least)

    def _base_plan(self, n_layers: int) -> PruningPlan:
        """Returns the plan that overrides change."""
        name = self.prune or DEFAULT_PLAN
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


def _check_values(values: Dict[Text, Any]) -> None:
    _check_type(values, "model", str, "a folder or a hub id", allow_none=False)
    for key, expected in (
        ("revision", "a branch, tag or commit, or null for the newest"),
        ("cache_dir", "a folder, or null for the hub's default"),
        ("prune", f"'{OFF}', a shipped plan's name or a plan file"),
    ):
        _check_type(values, key, str, expected)
    _check_type(values, "device", str, "'cpu', 'cuda', 'cuda:N' or 'auto'", allow_none=False)
    _check_type(values, "local_files_only", bool, "true, false or null")
    _check_type(values, "bundle_encoder", bool, "true or false", allow_none=False)
    _check_type(values, "backend", str, "'auto', 'torch', 'onnx' or 'native'", allow_none=False)
    _check_type(values, "precision", str, "'auto', 'int8', 'bf16' or 'fp32'", allow_none=False)
    for key, minimum in (("num_threads", 1), ("max_length", 3)):
        _check_whole_number(values, key, minimum)
    if values["min_tokens"] != AUTO:
        _check_whole_number(values, "min_tokens", 0)
    _check_whole_number(values, "cache_size", 0, allow_none=False)
    _check_whole_number(values, "batch_size", 1, allow_none=False)
    _check_pruning(values)


def _check_pruning(values: Dict[Text, Any]) -> None:
    given = [key for key in _OVERRIDES if values[key] is not None]
    if values["prune"] == OFF and given:
        raise ConfigError(
            f"prune: {OFF} contradicts {given[0]}: {values[given[0]]}; remove one of the two"
        )
    quantile = values["quantile"]
    quantiles = quantile if isinstance(quantile, list) else [quantile]
    for value in quantiles if quantile is not None else []:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 1:
            raise ConfigError(f"quantile must be in [0, 1), got {value!r}; 0.0 keeps every token")
    layers = values["prune_layers"]
    if layers is not None and (
        not isinstance(layers, list)
        or not layers
        or any(isinstance(layer, bool) or not isinstance(layer, int) for layer in layers)
        or len(set(layers)) != len(layers)
    ):
        raise ConfigError(
            f"prune_layers must be a list of different layer numbers such as [1, 2], got {layers!r}"
        )
    modes = [mode.value for mode in PruneMode]
    if values["prune_mode"] is not None and values["prune_mode"] not in modes:
        raise ConfigError(
            f"prune_mode must be one of {', '.join(modes)}; got {values['prune_mode']!r}."
            f"{did_you_mean(str(values['prune_mode']), modes)}"
        )


def _check_type(
    values: Dict[Text, Any], key: str, kind: type, expected: str, allow_none: bool = True
) -> None:
    value = values[key]
    if (value is None and allow_none) or (isinstance(value, kind) and value != ""):
        return
    raise ConfigError(f"{key} must be {expected}; got {value!r}")


def _check_whole_number(
    values: Dict[Text, Any], key: str, minimum: int, allow_none: bool = True
) -> None:
    value = values[key]
    if value is None and allow_none:
        return
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        null = " or null" if allow_none else ""
        raise ConfigError(f"{key} must be a whole number >= {minimum}{null}; got {value!r}")


def check_ranking_length(config: Mapping[Text, Any], default: int) -> int:
    """Returns the checked `ranking_length`; 0 means all intents."""
    values = {"ranking_length": config.get("ranking_length", default)}
    _check_whole_number(values, "ranking_length", 0, allow_none=False)
    return int(values["ranking_length"])


def check_alias(alias: Any) -> None:
    """Raises ConfigError if the featurizer's alias is not a name."""
    _check_type({"alias": alias}, "alias", str, "a name, or null for the node's name")


def plan_file(settings: EncoderSettings) -> Optional[Path]:
    """Returns the plan file the settings name, if any."""
    if settings.prune is not None and settings.prune.endswith(".json"):
        return Path(settings.prune).expanduser()
    return None
