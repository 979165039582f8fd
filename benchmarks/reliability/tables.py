"""The tables of docs/reliability.md, those of every part."""

from __future__ import annotations

from typing import Tuple

from benchmarks.reliability.faults import tables as faults
from benchmarks.reliability.security import tables as security
from benchmarks.tables import Plot, Table

TABLES: Tuple[Table, ...] = (*faults.TABLES, *security.TABLES)
PLOTS: Tuple[Plot, ...] = ()
