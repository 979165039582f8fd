"""Pruning plans: which tokens stop being updated after which layer."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import math
from enum import Enum
from pathlib import Path
from typing import Any, Dict, Mapping, Optional, Tuple

from rasa_tokprune.encoder.plans.checks import check_layer, choice, number, require_int
from rasa_tokprune.encoder.stable_fields import stable_fields
from rasa_tokprune.errors import ConfigError, did_you_mean

# quantile * (n - 1) can land a rounding error above the whole number it stands for.
ROUNDING = 1e-9
ADAPTER_SUFFIX = ".safetensors"


def quantile_count(quantile: float, n_content: int) -> int:
    """Returns how many of `n_content` tokens lie below a quantile of them: ceil(q * (n - 1))."""
    return max(0, math.ceil(quantile * (n_content - 1) - ROUNDING))


class PruneMode(str, Enum):
    """What happens to a pruned token.

    DROP: it is gone for all later layers and for pooling (the paper's reading).
    FREEZE: it is no longer updated, but later layers still see its key and value,
        and its last state takes part in pooling.
    """

    DROP = "drop"
    FREEZE = "freeze"


class ThresholdKind(str, Enum):
    """How a layer's threshold is read.

    QUANTILE: prune the tokens below this quantile of their own sentence, in [0, 1).
    ABSOLUTE: prune where importance < threshold / seq_len; 1.0 is uniform attention.
    """

    QUANTILE = "quantile"
    ABSOLUTE = "absolute"


@dataclasses.dataclass(frozen=True)
class PruningPlan:
    """One pruning configuration for encoders with `n_layers` layers.

    Reference: arXiv 2408.11799. Deviations: special tokens never count and are never
    pruned, the default mode freezes instead of dropping, layers can be skipped.

    Attributes:
        n_layers: Number of layers of the encoders this plan fits.
        thresholds: (n_layers,) threshold applied after each layer (0-based); 0.0 prunes
            nothing there.
        kind: How thresholds are read.
        mode: What happens to pruned tokens.
        min_tokens: Sentences with fewer tokens, special tokens counted, are not pruned;
            0 prunes sentences of every length.
        kept_layers: Layers that run, ascending; None runs all.
        drop_end: Whether punctuation at the end of a text is dropped before the first layer, so
            that "hello", "hello!!" and "hello ?" are one message. A text of nothing else stays.
        name: Short name for logs.
        adapter: Shipped name or file of the adapter the plan was made with; None: of none.
        provenance: Where the plan comes from: source, data, date and the like.

    Raises:
        ConfigError: If a value is out of range or two values contradict each other.
    """

    n_layers: int
    thresholds: Tuple[float, ...] = ()
    kind: ThresholdKind = ThresholdKind.QUANTILE
    mode: PruneMode = PruneMode.FREEZE
    min_tokens: int = 0
    kept_layers: Optional[Tuple[int, ...]] = None
    drop_end: bool = False
    name: str = "custom"
    adapter: Optional[str] = None
    provenance: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Normalises sequences to tuples and checks every value."""
        require_int("n_layers", self.n_layers, minimum=1)
        require_int("min_tokens", self.min_tokens, minimum=0)
        thresholds = tuple(self.thresholds) or (0.0,) * self.n_layers
        object.__setattr__(self, "thresholds", tuple(number(t) for t in thresholds))
        object.__setattr__(self, "kind", choice(ThresholdKind, "kind", self.kind))
        object.__setattr__(self, "mode", choice(PruneMode, "mode", self.mode))
        kept = range(self.n_layers) if self.kept_layers is None else self.kept_layers
        object.__setattr__(self, "kept_layers", tuple(kept))
        if not isinstance(self.drop_end, bool):
            raise ConfigError(f"drop_end must be true or false, got {self.drop_end!r}")
        if not (self.adapter is None or (isinstance(self.adapter, str) and self.adapter)):
            raise ConfigError(
                f"adapter must be a shipped adapter's name, a file beside the plan's, or null; got "
                f"{self.adapter!r}"
            )
        self._check_thresholds()
        self._check_kept_layers()

    @classmethod
    def identity(cls, n_layers: int) -> PruningPlan:
        """Returns the plan that prunes nothing: the original model."""
        return cls(n_layers=n_layers, name="off")

    @property
    def is_identity(self) -> bool:
        """True if every layer runs on every token of a whole text."""
        runs_all = len(self.kept_layers or ()) == self.n_layers
        return runs_all and not self.pruned_layers and not self.drop_end

    @functools.cached_property
    def pruned_layers(self) -> Tuple[int, ...]:
        """Layers after which tokens are pruned, ascending."""
        return tuple(layer for layer, t in enumerate(self.thresholds) if t > 0)

    def check_fits(self, n_layers: int) -> None:
        """Raises ConfigError if an encoder with `n_layers` layers cannot use this plan."""
        if n_layers != self.n_layers:
            raise ConfigError(
                f"plan '{self.name}' is for encoders with {self.n_layers} layers, but this "
                f"encoder has {n_layers}; choose another plan, or set quantile and "
                f"prune_layers yourself"
            )

    def prunes(self, n_tokens: int) -> bool:
        """Returns whether a sentence of `n_tokens` tokens, special ones counted, is pruned."""
        return bool(self.pruned_layers) and n_tokens >= self.min_tokens

    @functools.cached_property
    def without_pruning(self) -> PruningPlan:
        """The plan that runs the same layers on every token."""
        return PruningPlan(self.n_layers, kept_layers=self.kept_layers)

    @functools.cached_property
    def at_any_length(self) -> PruningPlan:
        """The plan without its minimum length."""
        return dataclasses.replace(self, min_tokens=0)

    def fingerprint(self) -> str:
        """Returns a hash of what it does to embeddings (not name, adapter, provenance)."""
        return self._fingerprint

    @functools.cached_property
    def _fingerprint(self) -> str:
        all_layers = tuple(range(self.n_layers))
        kept = None if self.kept_layers == all_layers else self.kept_layers
        content = {**stable_fields(self), "kept_layers": kept}
        for name in ("name", "adapter", "provenance"):
            content.pop(name, None)
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def to_dict(self) -> Dict[str, Any]:
        """Returns the plan as JSON-ready values."""
        return {
            "name": self.name,
            "n_layers": self.n_layers,
            "thresholds": list(self.thresholds),
            "kind": self.kind.value,
            "mode": self.mode.value,
            "min_tokens": self.min_tokens,
            "kept_layers": list(self.kept_layers or ()),
            "drop_end": self.drop_end,
            "adapter": self.adapter,
            "provenance": dict(self.provenance),
        }

    @classmethod
    def from_dict(cls, values: Any, source: str = "plan") -> PruningPlan:
        """Builds a plan from the values of `to_dict`; `source` names it in errors."""
        if not isinstance(values, dict):
            raise ConfigError(f"{source}: expected a JSON object, got {type(values).__name__}")
        fields = [field.name for field in dataclasses.fields(cls)]
        for key in values:
            if key not in fields:
                raise ConfigError(
                    f"{source}: unknown key '{key}'.{did_you_mean(key, fields)} "
                    f"Valid keys: {', '.join(fields)}"
                )
        for key in ("thresholds", "kept_layers"):
            if not isinstance(values.get(key, []), (list, tuple, type(None))):
                raise ConfigError(f"{source}: {key} must be a list, got {values[key]!r}")
        if "n_layers" not in values:
            raise ConfigError(f"{source}: key 'n_layers' is missing")
        try:
            return cls(**{**values, "thresholds": values.get("thresholds") or ()})
        except ConfigError as error:
            raise ConfigError(f"{source}: {error}") from error

    @classmethod
    def load(cls, path: Path) -> PruningPlan:
        """Reads a plan from a JSON file; an adapter file it names lies beside it."""
        try:
            values = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise ConfigError(f"plan file '{path}' cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise ConfigError(f"plan file '{path}' is not valid JSON: {error}") from error
        plan = cls.from_dict(values, source=f"plan file '{path}'")
        if plan.adapter is None or not plan.adapter.endswith(ADAPTER_SUFFIX):
            return plan
        return dataclasses.replace(plan, adapter=str(Path(path).parent / plan.adapter))

    def save(self, path: Path) -> None:
        """Writes the plan to a JSON file."""
        try:
            Path(path).write_text(json.dumps(self.to_dict(), indent=2) + "\n", encoding="utf-8")
        except OSError as error:
            raise ConfigError(f"plan file '{path}' cannot be written: {error.strerror}") from error

    def _check_thresholds(self) -> None:
        if len(self.thresholds) != self.n_layers:
            raise ConfigError(
                f"thresholds must hold one number per layer ({self.n_layers}), "
                f"got {len(self.thresholds)}"
            )
        for layer, value in enumerate(self.thresholds):
            if self.kind is ThresholdKind.QUANTILE and not 0 <= value < 1:
                raise ConfigError(
                    f"quantile must be in [0, 1), got {value} for layer {layer}; "
                    f"0.0 keeps every token"
                )
            if self.kind is ThresholdKind.ABSOLUTE and not 0 <= value < float("inf"):
                raise ConfigError(
                    f"absolute threshold must be >= 0, got {value} for layer {layer}; "
                    f"0.0 keeps every token, 1.0 prunes below uniform attention"
                )

    def _check_kept_layers(self) -> None:
        kept = self.kept_layers or ()
        if not kept:
            raise ConfigError("kept_layers is empty; at least one layer must run")
        for layer in kept:
            check_layer("kept_layers", layer, self.n_layers)
        if list(kept) != sorted(set(kept)):
            raise ConfigError(f"kept_layers must be ascending without repeats, got {list(kept)}")
        for layer in self.pruned_layers:
            if layer not in kept:
                raise ConfigError(
                    f"layer {layer} is skipped, so it has no attention to prune by; "
                    f"set its threshold to 0.0 or keep the layer"
                )
