"""What commands that turn raw rows into tables and a plot have in common."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Callable, List, Mapping, Sequence

from rasa_tokprune.evaluation.rasa_table import read_rows, update_table

# Marker in the document -> what makes its table of the rows.
Tables = Mapping[str, Callable[[Sequence[Mapping[str, Any]]], str]]


def markdown_table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table, all but its first column to the right."""
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, rule, *lines))


def update_tables(document: Path, rows: List[Any], tables: Tables) -> None:
    """Replaces every table in a document."""
    for marker, table in tables.items():
        update_table(document, table(rows), marker)


def run_report(
    description: str, tables: Tables, draw: Callable[[Sequence[Mapping[str, Any]], Path], None]
) -> None:
    """Runs a command with `--data`, `--markdown` and `--plot`."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    for option in ("--data", "--markdown", "--plot"):
        parser.add_argument(option, type=Path, required=True)
    arguments = parser.parse_args()
    rows = read_rows(arguments.data)
    update_tables(arguments.markdown, rows, tables)
    draw(rows, arguments.plot)
