r"""Measured time of plans, by length, side by side, next to what they cost in token-layers.

python -m rasa_tokprune.evaluation.plan_times --out docs/data/plan_times.jsonl \
    --messages FILE --prune light balanced fast --markdown docs/adapters.md
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence, Tuple

import numpy as np
from tqdm import tqdm

from rasa_tokprune.encoder import Encoder, PruningPlan, load_encoder, resolve_plan
from rasa_tokprune.encoder.backends import AUTO
from rasa_tokprune.encoder.checkpoint import DEFAULT_MODEL, find_checkpoint
from rasa_tokprune.encoder.cost import plan_cost
from rasa_tokprune.encoder.plans import OFF
from rasa_tokprune.encoder.spec import EncoderSpec
from rasa_tokprune.evaluation.bench.latency import exact_conditions
from rasa_tokprune.evaluation.bench.machine import environment
from rasa_tokprune.evaluation.rasa_table import update_table, write_rows
from rasa_tokprune.evaluation.tasks import read_examples

LENGTHS = (8, 16, 32, 64, 128, 256)
_REPETITIONS = 40
_WARM_UP = 3
MARKER = "plan_times"


def time_plans(
    model: str,
    plans: Sequence[PruningPlan],
    messages: Sequence[str],
    show_progress: bool,
    repetitions: int = _REPETITIONS,
) -> List[Dict[str, Any]]:
    """Returns the median time of encoding one text, for each plan and length.

    One thread, batch size 1, the fastest number format and engine here. Every plan encodes the
    same text before the next text comes, so that what disturbs one disturbs all.

    Args:
        model: Folder or hub id.
        plans: What to compare.
        messages: Their words make the texts.
        show_progress: Whether to show a progress bar.
        repetitions: Timed texts for each plan and length.

    Returns:
        Rows with `plan` and its `fingerprint`, `tokens`, `median_ms`, `cost` (token-layers, as a
        share of the un-pruned encoder's), `precision` and `backend`.
    """
    encoders = [
        load_encoder(model, prune=plan, precision=AUTO, num_threads=1, adapter="off")
        for plan in plans
    ]
    folder = encoders[0].folder
    rows = []
    for condition in tqdm(
        exact_conditions(messages, Path(str(folder)), LENGTHS),
        desc="Timing",
        disable=not show_progress,
    ):
        texts = [call[0] for call in condition.calls]
        spent = np.empty((repetitions + _WARM_UP, len(encoders)))
        for repetition in range(len(spent)):
            text = texts[repetition % len(texts)]
            for index, encoder in enumerate(encoders):
                start = time.perf_counter()
                encoder.encode([text])
                spent[repetition, index] = time.perf_counter() - start
        medians = np.median(spent[_WARM_UP:], axis=0) * 1000
        rows += [
            {
                "plan": plan.name,
                "fingerprint": plan.fingerprint(),
                "tokens": condition.key["tokens"],
                "median_ms": float(median),
                "cost": plan_cost(plan, condition.key["tokens"], *_costs_of(encoder)),
                "precision": encoder.model.precision.value,
                "backend": encoder.model.backend.value,
            }
            for plan, encoder, median in zip(plans, encoders, medians)
        ]
    return rows


def render(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns time by plan and length, as a share of the un-pruned encoder's, beside the cost."""
    lengths = list(dict.fromkeys(row["tokens"] for row in rows))
    base = {row["tokens"]: row["median_ms"] for row in rows if row["plan"] == OFF}
    lines = [
        f"| time / cost, share of un-pruned | {' | '.join(f'{n} tokens' for n in lengths)} |",
        f"|---|{'--:|' * len(lengths)}",
        f"| `off`, ms | {' | '.join(f'{base[n]:.2f}' for n in lengths)} |",
    ]
    for plan in dict.fromkeys(row["plan"] for row in rows if row["plan"] != OFF):
        own = {row["tokens"]: row for row in rows if row["plan"] == plan}
        cells = [f"{own[n]['median_ms'] / base[n]:.2f} / {own[n]['cost']:.2f}" for n in lengths]
        lines.append(f"| `{plan}` | {' | '.join(cells)} |")
    about = {f"{row['backend']} {row['precision']}" for row in rows}
    return "\n".join([*lines, "", f"{', '.join(sorted(about))}; 1 thread, batch size 1, medians."])


def _costs_of(encoder: Encoder) -> Tuple[int, float]:
    """Returns special tokens of a text, and what a frozen token costs."""
    return int(encoder.tokenize(["a"])[0].is_special.sum()), encoder.model.spec.kv_share


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--messages", type=Path, required=True, help="Rasa YAML; words for texts")
    parser.add_argument("--prune", nargs="+", required=True, metavar="PLAN")
    parser.add_argument("--model", default=DEFAULT_MODEL, help="folder or hub id")
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--markdown", type=Path, help="document with the table")
    arguments = parser.parse_args()
    n_layers = EncoderSpec.from_folder(find_checkpoint(arguments.model)).n_layers
    plans = [resolve_plan(prune, n_layers) for prune in (OFF, *arguments.prune)]
    texts = read_examples(arguments.messages)[0]
    rows = time_plans(arguments.model, plans, texts, True, arguments.repetitions)
    machine = environment()
    write_rows([{**row, "environment": machine} for row in rows], arguments.out)
    if arguments.markdown is not None:
        update_table(arguments.markdown, render(rows), MARKER)


if __name__ == "__main__":
    main()
