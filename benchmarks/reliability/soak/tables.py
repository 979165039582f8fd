"""Tables of long runs, and of messages that could do harm."""

from __future__ import annotations

from typing import Any, List, Mapping

import numpy as np

from benchmarks.reliability.serving.tables import load_line
from benchmarks.reliability.soak.soak import MINUTES
from benchmarks.rows import Rows
from benchmarks.tables import NOTHING, Table, markdown_table

Row = Mapping[str, Any]


def soak_table(rows: Rows) -> str:
    """Returns what was asked in each long run, and what became of memory."""
    if not rows:
        return NOTHING
    head = ["minutes", "workers", "asked", "of these", "wrong", "lost", "p50 ms", "p99 ms",
            "own pages MB", "growth"]  # fmt: skip
    lines: List[List[str]] = []
    for row in sorted(rows, key=lambda row: row["settings"]["minutes"]):
        minutes = row["settings"]["minutes"]
        memory = [sample["anonymous_mb"] for sample in row["samples"]]
        short = " (a shorter run)" if minutes < MINUTES else ""
        lines.append(
            [
                f"{minutes:g}{short}", str(row["settings"]["workers"]), str(row["n"]),
                ", ".join(f"{n} {kind}" for kind, n in sorted(row["kinds"].items())),
                str(row["wrong"]), str(row["lost"]), f"{row['p50_ms']:.0f}", f"{row['p99_ms']:.0f}",
                f"{np.median(memory):.0f}", f"{100 * row['growth']:+.1f}%",
            ]
        )  # fmt: skip
    return f"{markdown_table(head, lines)}\n\n{load_line(rows)}"


def huge_table(rows: Rows) -> str:
    """Returns what messages of a megabyte cost each component, beside their beginning."""
    if not rows:
        return NOTHING
    head = ["message", "component", "first 16,384 characters ms", "a megabyte ms", "more memory MB"]
    lines = [
        [
            row["kind"], f"`{row['component']}`", f"{row['beginning_ms']:.1f}",
            f"{row['whole_ms']:.1f}", f"{row['more_mb']:.1f}",
        ]
        for row in rows
    ]  # fmt: skip
    return f"{markdown_table(head, lines, n_left=2)}\n\n{load_line(rows)}"


TABLES = (
    Table("soak", "docs/reliability.md", ("soak/soak.jsonl",), soak_table),
    Table("soak_huge", "docs/reliability.md", ("soak/huge.jsonl",), huge_table),
)
