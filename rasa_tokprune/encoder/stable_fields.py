"""Hashes of settings that stay the same when a later version adds a setting."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict


def stable_fields(settings: Any) -> Dict[str, Any]:
    """Returns a dataclass's fields without those at their default.

    Trained models store hashes of these; a field that a later version adds, at the default that
    means today's behaviour, must not change them.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(settings)}
    values = dataclasses.asdict(settings)
    return {name: value for name, value in values.items() if value != defaults[name]}
