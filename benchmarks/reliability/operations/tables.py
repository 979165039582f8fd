"""Tables of the section Operations of docs/reliability.md."""

from __future__ import annotations

from statistics import median
from typing import List, Tuple

from benchmarks.reliability.serving.tables import load_line
from benchmarks.rows import Rows, in_order, select
from benchmarks.tables import Table, markdown_table


def costs_table(rows: Rows) -> str:
    """Returns medians over rounds of what clients of each variant saw."""
    lines: List[List[str]] = []
    for variant in in_order(rows, "variant"):
        alone, several = (select(rows, variant=variant, clients=n) for n in (1, 8))
        of_variant = [*alone, *several]
        cells = [variant, str(len(alone)), str(sum(row["n"] for row in of_variant))]
        cells += [str(sum(row["wrong"] + row["lost"] for row in of_variant))]
        for field in ("p50_ms", "p99_ms"):
            cells.append(f"{median(row[field] for row in alone):.1f}")
        cells.append(f"{median(row['messages_per_s'] for row in several):.0f}")
        cells.append(f"{median(row['own_mb'] for row in several):.0f}")
        lines.append(cells)
    head = [
        "watched by", "rounds", "messages", "wrong or lost", "one client: p50 ms", "p99 ms",
        "eight clients: messages/s", "own pages MB",
    ]  # fmt: skip
    return markdown_table(head, lines) + "\n\n" + load_line(rows)


TABLES: Tuple[Table, ...] = (
    Table("operations_costs", "docs/reliability.md", ("operations/costs.jsonl",), costs_table),
)
