"""Raw measurements: one JSON line for each engine and condition."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Tuple

from rasa_tokprune.errors import ConfigError

Row = Dict[str, Any]
# What a row is a measurement of; all other fields are what was measured.
IDENTITY = (
    "benchmark", "model", "engine", "threads", "batch_size", "kind", "tokens", "bucket",
    "n_texts", "n_examples", "n_way", "task", "pipeline", "settings",
)  # fmt: skip


def identity(row: Mapping[str, Any]) -> Tuple[Tuple[str, str], ...]:
    """Returns what a row is a measurement of."""
    return tuple((key, json.dumps(row[key], sort_keys=True)) for key in IDENTITY if key in row)


class RowStore:
    """A file of rows. A row that is measured again replaces the old one."""

    def __init__(self, path: Path, *, force: bool = False) -> None:
        """Opens a file, which need not exist.

        Args:
            path: JSON lines.
            force: Nothing in it counts as measured.
        """
        self.path = path
        self._force = force
        self._rows = {identity(row): row for row in read_rows(path)} if path.is_file() else {}

    def has(self, row: Mapping[str, Any]) -> bool:
        """Returns whether this was measured already; only the identity of `row` is read."""
        return not self._force and identity(row) in self._rows

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows and writes the file, whole or not at all."""
        self._rows.update((identity(row), row) for row in rows)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        lines = [json.dumps(row) + "\n" for row in self._rows.values()]
        partial.write_text("".join(lines), encoding="utf-8")
        os.replace(partial, self.path)

    def rows(self) -> List[Row]:
        """Returns all rows."""
        return list(self._rows.values())


def read_rows(path: Path) -> List[Row]:
    """Returns the rows of one file.

    Raises:
        ConfigError: If a line is not a JSON object.
    """
    rows = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"'{path}', line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise ConfigError(f"'{path}', line {number}: expected a JSON object, got {line[:40]!r}")
        rows.append(row)
    return rows


def read_folder(folder: Path) -> List[Row]:
    """Returns the rows of all files named bench_*.jsonl."""
    return [row for path in sorted(folder.glob("bench_*.jsonl")) for row in read_rows(path)]
