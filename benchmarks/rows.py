"""Raw measurements: files with one JSON object a line, a row, for each thing that was measured."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Tuple

from rasa_tokprune.errors import ConfigError

Row = Dict[str, Any]
Rows = Sequence[Mapping[str, Any]]
# What a row is a measurement of; all other fields are what was measured.
IDENTITY = (
    "benchmark", "model", "engine", "threads", "batch_size", "kind", "tokens", "bucket",
    "n_texts", "n_examples", "n_way", "task", "pipeline", "settings",
)  # fmt: skip

# Flag of a CPU -> its name here: what decides the time of 8-bit products.
_PRODUCTS = {
    "amx_int8": "AMX",
    "avx512_vnni": "AVX-512 VNNI",
    "avx_vnni": "AVX-VNNI",
    "asimddp": "NEON dot products",
}


def read_rows(path: Path) -> List[Row]:
    """Returns the rows of a file.

    Raises:
        ConfigError: If it cannot be read, or a line is not a JSON object.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"there are no rows to read in '{path}': {error}") from error
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise ConfigError(f"'{path}', line {number} is not JSON: {error}") from error
        if not isinstance(row, dict):
            raise ConfigError(f"'{path}', line {number}: expected a JSON object, got {line[:40]!r}")
        rows.append(row)
    return rows


def write_rows(rows: Iterable[Mapping[str, Any]], path: Path) -> None:
    """Writes a file of rows, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    os.replace(partial, path)


def append_row(row: Mapping[str, Any], path: Path) -> None:
    """Adds a row at the end of a file; several processes may do so at the same time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row, allow_nan=False) + "\n")  # NaN is not JSON


def measured(path: Path, *fields: str) -> Set[Tuple[Any, ...]]:
    """Returns the values of some fields in each row of a file, which need not exist."""
    rows = read_rows(path) if path.is_file() else []
    return {tuple(row[field] for field in fields) for row in rows}


def select(rows: Rows, **wanted: Any) -> List[Mapping[str, Any]]:
    """Returns the rows with these values."""
    return [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]


def distinct(rows: Rows, field: str) -> List[Any]:
    """Returns the values of a field, sorted."""
    return sorted({row[field] for row in rows if field in row})


def in_order(rows: Rows, field: str) -> List[Any]:
    """Returns the values of a field, in the order of the file."""
    return list(dict.fromkeys(row[field] for row in rows))


def medians_by(rows: Rows, field: str) -> Dict[int, float]:
    """Returns size -> median milliseconds, ascending; `field` holds the size."""
    return {row[field]: row["median_ms"] for row in sorted(rows, key=lambda row: row[field])}


class RowStore:
    """A file of rows. A row that is measured again replaces the old one."""

    def __init__(self, path: Path, *, force: bool = False, machine: Optional[str] = None) -> None:
        """Opens a file, which need not exist.

        Args:
            path: JSON lines.
            force: Nothing in it counts as measured.
            machine: This machine, see `machine_of`: rows of others stay beside its own. None takes
                all rows for one machine's.
        """
        self.path = path
        self._force, self._machine = force, machine
        self._rows = {self._key(row): row for row in read_rows(path)} if path.is_file() else {}

    def has(self, row: Mapping[str, Any]) -> bool:
        """Returns whether this was measured already; only the identity of `row` is read."""
        return not self._force and self._key(row) in self._rows

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows and writes the file, whole or not at all."""
        self._rows.update((self._key(row), row) for row in rows)
        write_rows(self._rows.values(), self.path)

    def rows(self) -> List[Row]:
        """Returns all rows."""
        return list(self._rows.values())

    def _key(self, row: Mapping[str, Any]) -> Tuple[Any, ...]:
        if self._machine is None:
            return identity(row)
        return identity(row), machine_of(row) if "environment" in row else self._machine


def machine_of(row: Mapping[str, Any]) -> str:
    """Returns the processor of a row, and what of it decides the time of 8-bit products."""
    environment = row["environment"]
    found = [name for flag, name in _PRODUCTS.items() if flag in environment["flags"]]
    return f"{environment['cpu']} with {' and '.join(found)}" if found else environment["cpu"]


def identity(row: Mapping[str, Any]) -> Tuple[Tuple[str, str], ...]:
    """Returns what a row is a measurement of."""
    return tuple((key, json.dumps(row[key], sort_keys=True)) for key in IDENTITY if key in row)
