"""The pruning plans a benchmark can name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Dict, List, Tuple, Union

from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan
from rasa_tokprune.encoder.plans.resolve import plan_from_quantile, resolve_plan

# Both spend at most .72 of the token-layers of a 6-layer model; made to be timed, not to be
# accurate.
BENCHMARK_PLANS: Dict[str, PruningPlan] = {
    "freeze": PruningPlan(
        6, (0.3, 0.3, 0.3, 0.3, 0, 0), mode=PruneMode.FREEZE, min_tokens=0, name="freeze"
    ),
    "drop": PruningPlan(
        6, (0, 0.3, 0.3, 0.3, 0, 0), mode=PruneMode.DROP, min_tokens=0, name="drop"
    ),
}
_BY_QUANTILE = re.compile(r"(freeze|drop)-(0?\.\d+)-(\d+(?:,\d+)*)")


def benchmark_plan(name: Union[str, Path], n_layers: int) -> PruningPlan:
    """Returns a plan by name.

    Args:
        name: `freeze` or `drop` (the built-in plans above), `drop-0.3-1,3` (mode, quantile,
            layers), or what `load_encoder` takes.
        n_layers: Layers of the encoder.

    Raises:
        ConfigError: If there is no such plan or it is for another number of layers.
    """
    name = str(name)
    if name in BENCHMARK_PLANS:
        plan = BENCHMARK_PLANS[name]
        plan.check_fits(n_layers)
        return plan
    match = _BY_QUANTILE.fullmatch(name)
    if match is None:
        return resolve_plan(name, n_layers)
    mode, quantile, layers = match.groups()
    return plan_from_quantile(
        float(quantile), _numbers(layers), n_layers, mode=PruneMode(mode), name=name
    )


def quantile_plan_name(mode: str, quantile: float, layers: Tuple[int, ...]) -> str:
    """Returns the name that `benchmark_plan` reads back."""
    return f"{mode}-{quantile}-{','.join(map(str, layers))}"


def _numbers(text: str) -> List[int]:
    return [int(number) for number in text.split(",")]
