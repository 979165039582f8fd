r"""How fast one core answers a log again, and what a million messages would take.

python -m rasa_tokprune.evaluation.scale --train train.yml --log log.txt --prune light balanced \
    --out docs/data/scale.jsonl --markdown docs/scale.md

Runs the very jobs of `rasa-tokprune certify`, one after the other, on one thread.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence

from rasa_tokprune.encoder.backends import AUTO
from rasa_tokprune.encoder.plans import OFF
from rasa_tokprune.evaluation.bench.machine import environment
from rasa_tokprune.evaluation.certify.answers import answer, describe
from rasa_tokprune.evaluation.rasa_table import update_table, write_rows
from rasa_tokprune.evaluation.tasks import read_lines

MARKER = "scale"
_MILLION, _CORES = 1_000_000, (1, 16, 64)
_JOB = 2000


def measure(train: Path, texts: List[str], plans: Sequence[str]) -> Iterator[Dict[str, Any]]:
    """Yields one row for each plan: messages, jobs and seconds, once the bot is fitted.

    Args:
        train: The bot's NLU data.
        texts: Messages, all different.
        plans: Names or files; the adapter is the plan's own.
    """
    for plan in plans:
        settings = {"model": "", "precision": AUTO, "backend": AUTO, "num_threads": 1}
        adapter = OFF if plan == OFF else AUTO
        bot = describe(train, plan, adapter, settings, use_intent_names=True)
        fields = dataclasses.asdict(bot)
        start = time.perf_counter()
        answer(fields, texts[:10])
        fitted = time.perf_counter()
        jobs = [texts[at : at + _JOB] for at in range(0, len(texts), _JOB)]
        for job in jobs:
            answer(fields, job)
        yield {
            "plan": Path(plan).stem,
            "messages": len(texts),
            "jobs": len(jobs),
            "fit_s": round(fitted - start, 3),
            "answer_s": round(time.perf_counter() - fitted, 3),
            "precision": bot.precision,
            "backend": bot.backend,
        }


def render(rows: Sequence[Mapping[str, Any]]) -> str:
    """Returns rates, and minutes for a million messages if nothing but the jobs took time."""
    head = ["plan", "messages/s on one core", "fit s"]
    head += [f"a million on {cores} core{'s' * (cores > 1)}, min" for cores in _CORES]
    lines = [f"| {' | '.join(head)} |", f"|---|{'--:|' * (len(head) - 1)}"]
    for row in rows:
        rate = row["messages"] / row["answer_s"]
        minutes = [(_MILLION / rate / cores + row["fit_s"]) / 60 for cores in _CORES]
        cells = [f"{rate:.0f}", f"{row['fit_s']:.1f}", *(f"{each:.1f}" for each in minutes)]
        lines.append(f"| `{row['plan']}` | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--train", type=Path, required=True, help="the bot's NLU data")
    parser.add_argument("--log", type=Path, required=True, help="messages, one a line")
    parser.add_argument("--prune", nargs="+", required=True, metavar="PLAN")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--markdown", type=Path, required=True)
    arguments = parser.parse_args()
    texts = list(dict.fromkeys(read_lines(arguments.log)))
    machine = environment()
    found = measure(arguments.train, texts, [OFF, *arguments.prune])
    rows = [{**row, "environment": machine} for row in found]
    write_rows(rows, arguments.out)
    update_table(arguments.markdown, render(rows), MARKER)


if __name__ == "__main__":
    main()
