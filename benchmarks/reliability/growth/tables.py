"""What a large bot takes to train, and the same bot when it gained ten examples."""

from __future__ import annotations

from typing import List

from benchmarks.reliability.growth.training import N_ADDED, OURS, PIPELINES
from benchmarks.rows import Rows, in_order, select
from benchmarks.tables import Table, machine_line, markdown_table

_HEAD = ("examples, intents", "", "training", f"with {N_ADDED} more examples", "memory", "model")


def growth_table(rows: Rows) -> str:
    """Returns a line for each size and pipeline."""
    lines: List[List[str]] = []
    for size in in_order(rows, "size"):
        for pipeline in (name for name in PIPELINES if select(rows, size=size, pipeline=name)):
            (row,) = select(rows, size=size, pipeline=pipeline)
            name = f"{row['n_examples']:,}, {row['n_intents']:,}"
            cells = [f"{row['train_s']:,.0f} s", f"{row['grown_s']:,.0f} s"]
            cells += [f"{row['peak_mb']:,} MB", f"{row['model_mb']:,.0f} MB"]
            what = "**with our classifier**" if pipeline == OURS else pipeline
            lines.append([name if not lines or lines[-1][0] != name else "", what, *cells])
    load = max(row["load_average"] for row in rows)
    about = (
        f"`rasa train nlu`, start-up included, on {rows[0]['threads']} cores; load average before: "
        f"{load:.1f}. *Rasa alone* reads and checks the data and trains nothing. Memory: peak."
    )
    return "\n\n".join([markdown_table(list(_HEAD), lines), about, machine_line(rows)])


TABLES = (Table("large_bots", "docs/reliability.md", ("growth/training.jsonl",), growth_table),)
