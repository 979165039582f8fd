"""The tables of docs/reliability.md, those of every part."""

from __future__ import annotations

from typing import Tuple

from benchmarks.reliability.lifecycle import tables as lifecycle
from benchmarks.reliability.serving import tables as serving
from benchmarks.reliability.soak import tables as soak
from benchmarks.tables import Plot, Table

TABLES: Tuple[Table, ...] = (*serving.TABLES, *lifecycle.TABLES, *soak.TABLES)
PLOTS: Tuple[Plot, ...] = ()
