"""Plans for the tiny checkpoints, of every kind, and texts of several lengths."""

from __future__ import annotations

from pathlib import Path

from rasa_tokprune.encoder import PruneMode, PruningPlan, ThresholdKind
from tests.checkpoints import CORPUS, N_LAYERS

TEXTS = [CORPUS[0], "parcel", "", "hello there, thanks a lot", " ".join(CORPUS[:2]), CORPUS[4]]
PLANS = {
    "identity": PruningPlan.identity(N_LAYERS),
    "drop": PruningPlan(N_LAYERS, (0.0, 0.3, 0.3, 0.0), mode=PruneMode.DROP),
    "freeze": PruningPlan(N_LAYERS, (0.0, 0.3, 0.3, 0.0), mode=PruneMode.FREEZE),
    "freeze first": PruningPlan(N_LAYERS, (0.6, 0.0, 0.5, 0.2), mode=PruneMode.FREEZE),
    "gate": PruningPlan(N_LAYERS, (0.5, 0.0, 0.5, 0.0), min_tokens=12),
    "skip": PruningPlan(N_LAYERS, (0.4, 0.0, 0.0, 0.0), kept_layers=(0, 2, 3)),
    "absolute": PruningPlan(N_LAYERS, (0.9, 0.0, 1.1, 0.0), kind=ThresholdKind.ABSOLUTE),
    "absolute drop": PruningPlan(
        N_LAYERS, (0.9, 0.0, 1.1, 0.0), kind=ThresholdKind.ABSOLUTE, mode=PruneMode.DROP
    ),
}


def write_plan(path: Path, *, quantile: float = 0.5, mode: str = "freeze") -> Path:
    """Writes a plan for the tiny encoders that prunes after their second layer."""
    thresholds = (0.0, quantile, 0.0, 0.0)
    PruningPlan(N_LAYERS, thresholds, mode=PruneMode(mode), name="tiny").save(path)
    return path
