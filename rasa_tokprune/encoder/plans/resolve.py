"""Makes plans: by what the user wrote (off, a shipped plan's name, a file), or by quantile."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Sequence, Union

from rasa_tokprune.encoder.plans.checks import check_layer
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan, ThresholdKind
from rasa_tokprune.errors import ConfigError, did_you_mean

OFF = "off"
_FOLDER = Path(__file__).resolve().parent / "shipped"


def shipped_plans() -> Dict[str, List[PruningPlan]]:
    """Returns the plans in the package by name; one per number of layers it was made for."""
    plans: Dict[str, List[PruningPlan]] = {}
    for path in sorted(_FOLDER.glob("*.json")):
        plan = PruningPlan.load(path)
        plans.setdefault(plan.name, []).append(plan)
    return plans


def resolve_plan(prune: Union[str, Path, PruningPlan], n_layers: int) -> PruningPlan:
    """Returns the plan a user asked for.

    Args:
        prune: 'off', a shipped plan's name, a path ending in .json, or a plan.
        n_layers: Layers of the encoder that will use it.

    Raises:
        ConfigError: If there is no such plan, or none for this number of layers.
    """
    if isinstance(prune, PruningPlan):
        plan = prune
    elif str(prune) == OFF:
        return PruningPlan.identity(n_layers)
    elif str(prune).endswith(".json"):
        try:
            plan = PruningPlan.load(Path(prune).expanduser())
        except ConfigError as error:
            raise ConfigError(f"prune: {error}") from error
    else:
        plan = _shipped(str(prune), n_layers)
    plan.check_fits(n_layers)
    return plan


def plan_from_quantile(
    quantile: float | Sequence[float],
    prune_layers: Sequence[int],
    n_layers: int,
    *,
    mode: PruneMode = PruneMode.FREEZE,
    min_tokens: int = 0,
    name: str = "custom",
    kind: ThresholdKind = ThresholdKind.QUANTILE,
) -> PruningPlan:
    """Builds a plan that prunes after `prune_layers`.

    Args:
        quantile: One quantile for all of `prune_layers`, or one for each, in [0, 1).
        prune_layers: 0-based layers after which tokens are pruned.
        n_layers: Number of layers of the encoder.
        mode: See PruneMode.
        min_tokens: Shorter sentences are not pruned.
        name: Short name for logs.
        kind: How `quantile` is read; ABSOLUTE allows numbers of 1 and more.

    Raises:
        ConfigError: If a layer does not exist or the two lists differ in length.
    """
    quantiles = list(quantile) if isinstance(quantile, (list, tuple)) else None
    if quantiles is None:
        quantiles = [quantile] * len(prune_layers)
    if len(quantiles) != len(prune_layers):
        raise ConfigError(
            f"quantile has {len(quantiles)} values for {len(prune_layers)} prune_layers "
            f"{list(prune_layers)}; give one quantile, or one for each layer"
        )
    thresholds = [0.0] * n_layers
    for layer, value in zip(prune_layers, quantiles):
        check_layer("prune_layers", layer, n_layers)
        thresholds[layer] = value
    return PruningPlan(
        n_layers, tuple(thresholds), kind=kind, mode=mode, min_tokens=min_tokens, name=name
    )


def _shipped(name: str, n_layers: int) -> PruningPlan:
    plans = shipped_plans()
    if name not in plans:
        valid = [OFF, *plans]
        raise ConfigError(
            f"prune: no plan '{name}'.{did_you_mean(name, valid)} "
            f"Shipped plans: {', '.join(valid)}; or give a plan file ending in .json"
        )
    for plan in plans[name]:
        if plan.n_layers == n_layers:
            return plan
    depths = ", ".join(str(plan.n_layers) for plan in plans[name])
    raise ConfigError(
        f"prune: plan '{name}' exists for encoders with {depths} layers, but this encoder has "
        f"{n_layers}; set quantile and prune_layers yourself, or prune: off"
    )
