"""Token-pruned sentence encoders and few-shot intent prototypes for Rasa Open Source.

Names are imported when first used, so that `import rasa_tokprune` stays cheap and the
encoder and few-shot parts work where Rasa is not installed.
"""

from __future__ import annotations

import importlib
from typing import Any, List

__version__ = "0.2.0"

_HOMES = {
    "Encoder": "rasa_tokprune.encoder",
    "PruningPlan": "rasa_tokprune.encoder",
    "load_encoder": "rasa_tokprune.encoder",
    "shipped_plans": "rasa_tokprune.encoder",
    "PrototypeClassifier": "rasa_tokprune.fewshot",
    "explain": "rasa_tokprune.explanation",
    "TokPruneFeaturizer": "rasa_tokprune.components.featurizer",
    "TokPruneIntentClassifier": "rasa_tokprune.components.intent_classifier",
    "TokPruneResponseSelector": "rasa_tokprune.components.response_selector",
}
__all__ = [*_HOMES, "__version__"]


def __getattr__(name: str) -> Any:
    """Imports a public name from its home (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> List[str]:
    return sorted(__all__)
