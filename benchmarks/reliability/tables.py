"""The tables of docs/reliability.md, those of every part."""

from __future__ import annotations

from typing import Tuple

from benchmarks.reliability.compatibility import tables as compatibility
from benchmarks.reliability.faults import tables as faults
from benchmarks.reliability.fuzz import tables as fuzz
from benchmarks.reliability.growth import tables as growth
from benchmarks.reliability.lifecycle import tables as lifecycle
from benchmarks.reliability.operations import tables as operations
from benchmarks.reliability.security import tables as security
from benchmarks.reliability.serving import tables as serving
from benchmarks.reliability.soak import tables as soak
from benchmarks.tables import Plot, Table

TABLES: Tuple[Table, ...] = (
    *serving.TABLES,
    *lifecycle.TABLES,
    *soak.TABLES,
    *faults.TABLES,
    *fuzz.TABLES,
    *security.TABLES,
    *compatibility.TABLES,
    *operations.TABLES,
    *growth.TABLES,
)
PLOTS: Tuple[Plot, ...] = ()
