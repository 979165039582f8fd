"""What each configuration value may be, with one line that says so when it is not."""

from __future__ import annotations

from typing import Any, Dict, Optional, Sequence

from rasa_tokprune.encoder.formats import AUTO
from rasa_tokprune.encoder.plans.plan import PruneMode
from rasa_tokprune.encoder.plans.resolve import OFF
from rasa_tokprune.encoder.shared import MOST_THREADS
from rasa_tokprune.errors import ConfigError, did_you_mean


def check_values(values: Dict[str, Any], overrides: Sequence[str]) -> None:
    """Raises ConfigError if a value is wrong or contradicts another; `overrides` change a plan."""
    check_type(values, "model", str, "a folder or a hub id", allow_none=False)
    for key, expected in (
        ("revision", "a branch, tag or commit, or null for the newest"),
        ("cache_dir", "a folder, or null for the hub's default"),
        ("prune", f"'{OFF}', '{AUTO}', a shipped plan's name or a plan file"),
    ):
        check_type(values, key, str, expected)
    expected = f"'{AUTO}', '{OFF}', a shipped adapter's name or an adapter file"
    check_type(values, "adapter", str, expected, allow_none=False)
    check_type(values, "device", str, "'cpu', 'cuda', 'cuda:N' or 'auto'", allow_none=False)
    check_type(values, "local_files_only", bool, "true, false or null")
    check_flag(values, "bundle_encoder")
    check_type(values, "backend", str, "'auto', 'torch', 'onnx' or 'native'", allow_none=False)
    check_type(values, "precision", str, "'auto', 'int8', 'bf16' or 'fp32'", allow_none=False)
    check_whole_number(values, "num_threads", 1, maximum=MOST_THREADS)
    check_whole_number(values, "max_length", 3)
    if values["min_tokens"] != AUTO:
        check_whole_number(values, "min_tokens", 0)
    check_whole_number(values, "cache_size", 0, allow_none=False)
    check_whole_number(values, "batch_size", 1, allow_none=False)
    _check_pruning(values, overrides)


def _check_pruning(values: Dict[str, Any], overrides: Sequence[str]) -> None:
    given = [key for key in overrides if values[key] is not None]
    if values["prune"] == OFF and given:
        raise ConfigError(
            f"prune: {OFF} contradicts {given[0]}: {values[given[0]]}; remove one of the two"
        )
    if values["prune"] == AUTO and given:
        raise ConfigError(
            f"prune: {AUTO} chooses among the shipped plans, so {given[0]}: {values[given[0]]} has "
            f"nothing to change; remove one of the two"
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


def check_flag(values: Dict[str, Any], key: str) -> None:
    """Raises ConfigError if the value of a key is not true or false."""
    check_type(values, key, bool, "true or false", allow_none=False)


def check_alias(alias: Any) -> None:
    """Raises ConfigError if the featurizer's alias is not a name."""
    check_type({"alias": alias}, "alias", str, "a name, or null for the node's name")


def check_type(
    values: Dict[str, Any], key: str, kind: type, expected: str, allow_none: bool = True
) -> None:
    """Raises ConfigError if the value of a key is not of a kind."""
    value = values[key]
    # No path and no name holds the character 0; the system's calls raise errors of their own.
    is_fit = isinstance(value, kind) and value != "" and "\0" not in str(value)
    if (value is None and allow_none) or is_fit:
        return
    raise ConfigError(f"{key} must be {expected}; got {value!r}")


def check_whole_number(
    values: Dict[str, Any],
    key: str,
    minimum: int,
    allow_none: bool = True,
    maximum: Optional[int] = None,
) -> None:
    """Raises ConfigError if the value of a key is not a whole number from `minimum` on.

    Args:
        values: By key.
        key: The one to check.
        minimum: The smallest that is allowed.
        allow_none: Whether the key may be left open.
        maximum: The largest; None allows any.
    """
    value = values[key]
    if value is None and allow_none:
        return
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not is_number or value < minimum or (maximum is not None and value > maximum):
        null = " or null" if allow_none else ""
        most = "" if maximum is None else f" and <= {maximum}"
        raise ConfigError(f"{key} must be a whole number >= {minimum}{most}{null}; got {value!r}")
