"""What a plan costs, from the lengths of texts alone."""

from __future__ import annotations

from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan, ThresholdKind, quantile_count
from rasa_tokprune.errors import ConfigError


def plan_cost(plan: PruningPlan, n_tokens: int, n_special: int, kv_share: float) -> float:
    """Returns the token-layers of one text, as a share of the un-pruned encoder's.

    Args:
        plan: By quantile: only then do lengths decide.
        n_tokens: Tokens, special ones counted.
        n_special: Special tokens, which are never pruned.
        kv_share: See `EncoderSpec.kv_share`.

    Raises:
        ConfigError: If the plan prunes by absolute thresholds.
    """
    if plan.pruned_layers and plan.kind is not ThresholdKind.QUANTILE:
        raise ConfigError(f"what plan '{plan.name}' costs does not follow from lengths alone")
    n_active, n_content, spent = n_tokens, n_tokens - n_special, 0.0
    for layer in plan.kept_layers or ():
        spent += n_active
        if plan.mode is PruneMode.FREEZE:
            spent += kv_share * (n_tokens - n_active)
        if plan.thresholds[layer] > 0 and plan.prunes(n_tokens) and n_content > 0:
            n_pruned = quantile_count(plan.thresholds[layer], n_content)
            n_active, n_content = n_active - n_pruned, n_content - n_pruned
    return spent / (n_tokens * plan.n_layers)
