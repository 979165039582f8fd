"""Checks of single values, each with one line that says what was expected."""

from __future__ import annotations

from typing import Any

from rasa_tokprune.errors import ConfigError


def check_layer(key: str, layer: Any, n_layers: int) -> None:
    """Raises ConfigError if the encoder has no such layer."""
    if isinstance(layer, bool) or not isinstance(layer, int) or not 0 <= layer < n_layers:
        raise ConfigError(
            f"{key}: layer {layer!r} does not exist; the encoder has layers 0 to {n_layers - 1}"
        )


def require_int(key: str, value: Any, minimum: int) -> None:
    """Raises ConfigError if a value is not a whole number from `minimum` on."""
    if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
        raise ConfigError(f"{key} must be a whole number >= {minimum}, got {value!r}")


def number(value: Any) -> float:
    """Returns a threshold as a float; raises ConfigError if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise ConfigError(f"a threshold must be a number, got {value!r}; 0.0 keeps every token")
    try:
        return float(value)
    except OverflowError:  # a whole number of hundreds of digits
        raise ConfigError(
            "a threshold must be a number below 1e308; 0.0 keeps every token"
        ) from None


def choice(enum: Any, key: str, value: Any) -> Any:
    """Returns a member of an enum by its value; raises ConfigError if there is none."""
    try:
        return enum(value)
    except ValueError:
        valid = ", ".join(member.value for member in enum)
        raise ConfigError(f"{key} must be one of {valid}; got {value!r}") from None
