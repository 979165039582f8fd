"""Text to sentence embedding, with token pruning. Knows nothing of intents or of Rasa."""

from rasa_tokprune.encoder.encoded_text import EncodedText
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.encoder.loading import load_encoder
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan, ThresholdKind
from rasa_tokprune.encoder.plans.resolve import plan_from_quantile, resolve_plan, shipped_plans

__all__ = [
    "EncodedText",
    "Encoder",
    "PruneMode",
    "PruningPlan",
    "ThresholdKind",
    "load_encoder",
    "plan_from_quantile",
    "resolve_plan",
    "shipped_plans",
]
