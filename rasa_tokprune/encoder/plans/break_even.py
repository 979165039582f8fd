"""What `min_tokens: auto` is: from which length on pruning saves time, see docs/benchmarks.md."""

from __future__ import annotations

import json
from importlib import resources
from typing import Dict

from rasa_tokprune.encoder.formats import Backend, Precision

_TABLE = "break_even.json"


def break_even(backend: Backend, precision: Precision) -> int:
    """Returns the shortest sentence, in tokens, that a mild plan makes faster.

    Shorter ones take the un-pruned path, bit for bit.
    """
    return read_table()[f"{backend.value} {precision.value}"]


def read_table() -> Dict[str, int]:
    """Returns the measured lengths by backend and precision."""
    content = resources.files("rasa_tokprune.encoder.plans").joinpath(_TABLE).read_text("utf-8")
    return {str(key): int(value) for key, value in json.loads(content)["min_tokens"].items()}
