"""The reference paper's table (arXiv 2408.11799): time saved by quantile, model and length.

Tokens are dropped as in the paper, which does not say after which layer; two settings are measured.
"""

from __future__ import annotations

import dataclasses
from typing import List, Sequence, Tuple

from rasa_tokprune.evaluation.bench.arguments import PAPER_SHAPES
from rasa_tokprune.evaluation.bench.checkpoints import random_checkpoint
from rasa_tokprune.evaluation.bench.comparison import Comparison, compare
from rasa_tokprune.evaluation.bench.latency import LENGTHS, exact_conditions
from rasa_tokprune.evaluation.bench.plans import quantile_plan_name
from rasa_tokprune.evaluation.bench.rows import RowStore
from rasa_tokprune.evaluation.bench.worker_process import WorkerSettings

# Without their last part, the plan; it is added here.
ENGINES = ("ours:native:int8", "ours:onnx:int8", "ours:onnx:fp32", "ours:torch:fp32")
QUANTILES = (0.1, 0.2, 0.3, 0.4, 0.5)
PRUNED_LAYERS: Tuple[Tuple[int, ...], ...] = ((1,), (1, 3, 5))
OFF = "off"


def with_plans(engine: str, quantiles: Sequence[float] = QUANTILES) -> List[str]:
    """Returns an engine's names with every plan, un-pruned first."""
    plans = [
        quantile_plan_name("drop", quantile, layers)
        for layers in PRUNED_LAYERS
        for quantile in quantiles
    ]
    return [f"{engine}:{plan}" for plan in (OFF, *plans)]


def measure_shapes(
    messages: Sequence[str],
    engines: Sequence[str],
    settings: WorkerSettings,
    store: RowStore,
    *,
    shapes: Sequence[str] = PAPER_SHAPES,
    repetitions: int,
    lengths: Sequence[int] = LENGTHS,
) -> None:
    """Measures each engine with and without pruning on random checkpoints.

    All plans of one engine share a process, and its weights.

    Args:
        messages: Their words make the texts.
        engines: `ours:BACKEND:PRECISION`, without plan.
        settings: Its checkpoint lends its tokenizer.
        store: Where the rows go.
        shapes: Keys of `checkpoints.SHAPES`.
        repetitions: Timed calls for each plan and length.
        lengths: Tokens of the texts.
    """
    conditions = exact_conditions(messages, settings.folder, lengths)
    for shape in shapes:
        folder = random_checkpoint(shape, settings.folder, settings.work)
        base = {"benchmark": "shapes", "model": shape, "batch_size": 1}
        for engine in engines:
            comparison = Comparison(base, [with_plans(engine)], conditions, repetitions)
            compare(comparison, dataclasses.replace(settings, folder=folder), store)
