"""Tables of the section Compatibility of docs/reliability.md."""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple

from benchmarks.reliability.compatibility.installs import VARIANTS
from benchmarks.rows import Rows
from benchmarks.tables import Table, markdown_table

# What a line names of the versions that a variant has installed.
_NAMED = ("rasa", "numpy", "tokenizers", "scikit-learn", "onnxruntime", "torch", "transformers")


def installs_table(rows: Rows) -> str:
    """Returns what each installation passes."""
    lines: List[List[str]] = []
    for row in sorted(rows, key=lambda row: list(VARIANTS).index(row["kind"])):
        cells = [row["kind"], row["settings"]["python"]]
        if "why" in row:
            lines.append([*cells, f"not installed: {row['why']}", "", ""])
            continue
        named = [f"{name} {row['versions'][name]}" for name in _NAMED if name in row["versions"]]
        cells.append(", ".join(named))
        lines.append([*cells, str(row["passed"]), str(len(row["failed"]))])
    return markdown_table(["installed", "Python", "with", "passed", "failed"], lines, n_left=3)


def models_table(rows: Rows) -> str:
    """Returns what other code, or another CPU path, answers with the same model."""
    lines: List[List[str]] = []
    for row in rows:
        made = (
            f"0.2, `{row['path']}`" if "trained_on" not in row else f"today, `{row['trained_on']}`"
        )
        answered = "today" if "trained_on" not in row else f"today, `{row['path']}`"
        lines.append([made, answered, str(row["n"]), *_differences(row)])
    head = [
        "trained by", "answered by", "messages", "other top intent", "other action",
        "confidence differs by at most",
    ]  # fmt: skip
    return markdown_table(head, lines, n_left=2)


def _differences(row: Mapping[str, Any]) -> List[str]:
    return [str(row["other_intent"]), str(row["other_action"]), f"{row['largest']:.1g}"]


TABLES: Tuple[Table, ...] = (
    Table(
        "compatibility_installs",
        "docs/reliability.md",
        ("compatibility/installs.jsonl",),
        installs_table,
    ),
    Table(
        "compatibility_models", "docs/reliability.md", ("compatibility/models.jsonl",), models_table
    ),
)
