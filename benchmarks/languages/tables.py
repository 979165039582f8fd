"""The table of bots in other languages."""

from __future__ import annotations

from typing import Any, Mapping, Tuple

from benchmarks.bots import plan_text
from benchmarks.rows import Rows
from benchmarks.tables import Plot, Table, markdown_table

_NAMES = {"zh": "Chinese", "hi": "Hindi", "tr": "Turkish"}


def languages_table(rows: Rows) -> str:
    """Returns what is right and what is answered, by language, plan and views."""
    head = [
        "language", "plan", "views", "readable %", "right %", "right and sure %",
        "out of scope, answered %",
    ]  # fmt: skip
    lines = [
        [
            _NAMES[row["language"]],
            plan_text(row),
            _views(row),
            f"{100 * row['readable']:.0f}",
            f"{100 * row['right'] / row['n']:.0f}",
            f"{100 * row['right_and_sure'] / row['n']:.0f}",
            f"{100 * row['oos_answered'] / row['n_oos']:.0f}",
        ]
        for row in rows
    ]
    return markdown_table(head, lines, n_left=3, is_spaced=True)


def _views(row: Mapping[str, Any]) -> str:
    return "embedding" if row["lexical_weight"] == 0 else "both"


TABLES = (Table("languages", "docs/languages.md", ("languages.jsonl",), languages_table),)
PLOTS: Tuple[Plot, ...] = ()
