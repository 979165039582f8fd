"""Which plans a search tries, and what each costs."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import numpy as np

from rasa_tokprune.encoder.plans.cost import plan_cost
from rasa_tokprune.encoder.plans.plan import PruneMode, PruningPlan

# The range of the reference paper, and a little beyond it on both sides.
QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5)
_COMBINED_QUANTILES = (0.2, 0.3, 0.4, 0.5)
_LEAST_TOKENS = (16, 32)
# Upper ends of the buckets in which results are told apart, special tokens counted.
LENGTH_BUCKETS = (8, 16, 32, 64, 128, 512)


def candidate_plans(n_layers: int) -> List[PruningPlan]:
    """Returns the plans of a search, the un-pruned encoder first, none twice.

    - one quantile after one layer, dropped and frozen, everywhere or from some length on;
    - quantiles after two layers in a row, and after every layer from one on;
    - skipped layers, up to half of them, alone and together with pruning.
    """
    found: Dict[str, PruningPlan] = {}
    for plan in _all(n_layers):
        found.setdefault(plan.fingerprint(), plan)
    return [dataclasses.replace(plan, name=describe(plan)) for plan in found.values()]


def sweep(n_layers: int) -> List[PruningPlan]:
    """Returns the reference paper's range of quantiles and a little more, frozen after layer 1."""
    plans = [_plan(n_layers, {1: quantile}) for quantile in QUANTILES]
    return [dataclasses.replace(plan, name=describe(plan)) for plan in plans]


def describe(plan: PruningPlan) -> str:
    """Returns a plan in a few words: 'layers 0,1,3,5 freeze 0.3>1 0.3>3 from 16'."""
    if plan.is_identity:
        return "off"
    kept = plan.kept_layers or ()
    words = [] if len(kept) == plan.n_layers else ["layers " + ",".join(map(str, kept))]
    if plan.pruned_layers:
        words.append(plan.mode.value)
        words += [f"{plan.thresholds[layer]:g}>{layer}" for layer in plan.pruned_layers]
    if plan.pruned_layers and plan.min_tokens:
        words.append(f"from {plan.min_tokens}")
    if plan.drop_end:
        words.append("without end")
    return " ".join(words)


def bucket_of(n_tokens: int) -> str:
    """Returns the name of a length's bucket, such as '9-16'."""
    edges = (0, *LENGTH_BUCKETS)
    place = min(int(np.searchsorted(LENGTH_BUCKETS, n_tokens)), len(LENGTH_BUCKETS) - 1)
    return f"{edges[place] + 1}-{edges[place + 1]}"


def cost_by_bucket(
    plan: PruningPlan, lengths: Sequence[int], n_special: int, kv_share: float
) -> Dict[str, float]:
    """Returns the mean cost of the texts of each bucket, shortest first; see `plan_cost`."""
    costs: Dict[str, List[float]] = {}
    for n_tokens in sorted(lengths):
        own = costs.setdefault(bucket_of(n_tokens), [])
        own.append(plan_cost(plan, n_tokens, n_special, kv_share))
    return {bucket: float(np.mean(own)) for bucket, own in costs.items()}


def _all(n_layers: int) -> Iterator[PruningPlan]:
    yield PruningPlan.identity(n_layers)
    inner = range(min(3, n_layers - 1))
    for mode, quantile, layer in itertools.product(PruneMode, QUANTILES, inner):
        yield _plan(n_layers, {layer: quantile}, mode=mode)
    for quantile, least in itertools.product(_COMBINED_QUANTILES, _LEAST_TOKENS):
        yield _plan(n_layers, {1: quantile}, min_tokens=least)
    for quantile, start in itertools.product(_COMBINED_QUANTILES, inner):
        yield _plan(n_layers, {start: quantile, start + 1: quantile})
        yield _plan(n_layers, dict.fromkeys(range(start, n_layers - 1), quantile))
    for kept in _skipping(n_layers):
        yield _plan(n_layers, {}, kept)
        if len(kept) > (2 * n_layers) // 3:
            continue
        for quantile in (0.3, 0.5):
            for layer in sorted({kept[0], kept[1], kept[-2]}):
                yield _plan(n_layers, {layer: quantile}, kept)
        yield _plan(n_layers, {kept[0]: 0.3, kept[1]: 0.3}, kept)
        yield _plan(n_layers, {kept[1]: 0.3, kept[-2]: 0.3}, kept)
        yield _plan(n_layers, {kept[1]: 0.5}, kept, min_tokens=_LEAST_TOKENS[0])


def _skipping(n_layers: int) -> Iterable[Tuple[int, ...]]:
    """Yields layers to keep: always first and last, at least half of all."""
    between = range(1, n_layers - 1)
    for n_kept in range(n_layers - 1, max(2, n_layers // 2) - 1, -1):
        for chosen in itertools.combinations(between, n_kept - 2):
            yield (0, *chosen, n_layers - 1)


def _plan(
    n_layers: int,
    quantiles: Dict[int, float],
    kept: Optional[Tuple[int, ...]] = None,
    *,
    mode: PruneMode = PruneMode.FREEZE,
    min_tokens: int = 0,
) -> PruningPlan:
    thresholds = tuple(quantiles.get(layer, 0.0) for layer in range(n_layers))
    return PruningPlan(n_layers, thresholds, mode=mode, min_tokens=min_tokens, kept_layers=kept)
