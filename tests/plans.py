"""Plans for the tiny checkpoints."""

from __future__ import annotations

from pathlib import Path

from rasa_tokprune.encoder import PruneMode, PruningPlan
from tests.checkpoints import N_LAYERS


def write_plan(path: Path, *, quantile: float = 0.5, mode: str = "freeze") -> Path:
    """Writes a plan for the tiny encoders that prunes after their second layer."""
    thresholds = (0.0, quantile, 0.0, 0.0)
    PruningPlan(N_LAYERS, thresholds, mode=PruneMode(mode), name="tiny").save(path)
    return path
