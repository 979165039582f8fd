"""The tables of docs/reliability.md, those of every part."""

from __future__ import annotations

from typing import Tuple

from benchmarks.reliability.fuzz.tables import TABLES as FUZZ
from benchmarks.tables import Plot, Table

TABLES: Tuple[Table, ...] = (*FUZZ,)
PLOTS: Tuple[Plot, ...] = ()
