"""Tables of what changes while a server runs."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import Any, List, Mapping, Optional

import numpy as np

from benchmarks.reliability.lifecycle import endings, offers, reloads, training
from benchmarks.reliability.serving.tables import load_line
from benchmarks.rows import Rows, select
from benchmarks.tables import NOTHING, Table, markdown_table

# The whole run; a shorter one is marked.
_WHOLE_S = 600
# Reloads at either end whose memory is compared.
_WINDOW = 10

Row = Mapping[str, Any]


def reloads_table(rows: Rows) -> str:
    """Returns memory once it had settled and in the end, and what was answered."""
    chosen = select(rows, kind=reloads.KIND)
    if not chosen:
        return NOTHING
    head = ["reloads", "seconds each", "messages", "wrong", "lost", "own pages, from the "
            f"{reloads.SETTLED}rd on MB", "of the last MB", "growth"]  # fmt: skip
    lines = []
    for row in chosen:
        memory = [sample["anonymous_mb"] for sample in row["samples"]][reloads.SETTLED - 1 :]
        seconds = [sample["seconds"] for sample in row["samples"]]
        # Two models in turn take turns in memory too, so that medians of a few are compared.
        size = max(1, min(_WINDOW, len(memory) // 2))
        settled, last = (float(np.median(part)) for part in (memory[:size], memory[-size:]))
        lines.append(
            [
                str(row["reloads"]), f"{np.median(seconds):.1f}", *_counts(row),
                f"{settled:.0f}", f"{last:.0f}", f"{100 * (last / settled - 1):+.1f}%",
            ]
        )  # fmt: skip
    return f"{markdown_table(head, lines)}\n\n{load_line(chosen)}"


def changes_table(rows: Rows) -> str:
    """Returns what clients saw while models were pulled or trained."""
    chosen = [row for row in rows if row["kind"] in (offers.KIND, training.KIND)]
    if not chosen:
        return NOTHING
    head = ["meanwhile", "messages", "wrong", "lost", "p50 ms", "p99 ms", "longest ms"]
    lines = []
    for row in chosen:
        times = [f"{row[name]:.0f}" for name in ("p50_ms", "p99_ms", "longest_ms")]
        lines.append([_meanwhile(row), *_counts(row), *times])
    return f"{markdown_table(head, lines)}\n\n{load_line(chosen)}"


def endings_table(rows: Rows) -> str:
    """Returns what became of requests that were on their way when SIGTERM came; start-up."""
    chosen = select(rows, kind=endings.KIND)
    if not chosen:
        return NOTHING
    head = ["workers", "busy processes beside it", "ends", "requests on their way", "answered",
            "lost", "s from the last answer to the end", "exit codes", "start-up s"]  # fmt: skip
    lines = []
    for row in sorted(
        chosen, key=lambda row: (row["settings"]["busy"], row["settings"]["workers"])
    ):
        ended = row["ended"]
        codes = Counter(_code(each["exit_code"]) for each in ended)
        lines.append(
            [
                str(row["settings"]["workers"]), str(row["settings"]["busy"]), str(len(ended)),
                str(row["n"]), str(row["n"] - row["wrong"] - row["lost"]), str(row["lost"]),
                f"{max(each['end_s'] for each in ended):.1f}",
                ", ".join(f"{code}: {n}" for code, n in sorted(codes.items())),
                f"{median(each['start_s'] for each in ended):.0f}",
            ]
        )  # fmt: skip
    return f"{markdown_table(head, lines)}\n\n{load_line(chosen)}"


def _code(code: Optional[int]) -> str:
    return "did not end" if code is None else str(code)


def _meanwhile(row: Row) -> str:
    if row["kind"] == training.KIND:
        size = row.get("trained_bytes", 0) / 1e6
        end = row.get("error", f"{row['train_s']:.0f} s, a model of {size:.1f} MB")
        return f"`POST /model/train` ({end})"
    short = " (a shorter run)" if row["seconds"] < _WHOLE_S else ""
    return (
        f"model server, {row['models_taken']} new models in {row['seconds']:.0f} s{short}, asked "
        f"every {row['every_s']} s"
    )


def _counts(row: Row) -> List[str]:
    return [str(row[name]) for name in ("n", "wrong", "lost")]


_ROWS = ("lifecycle/lifecycle.jsonl",)
TABLES = (
    Table("lifecycle_reloads", "docs/reliability.md", _ROWS, reloads_table),
    Table("lifecycle_changes", "docs/reliability.md", _ROWS, changes_table),
    Table("lifecycle_endings", "docs/reliability.md", _ROWS, endings_table),
)
