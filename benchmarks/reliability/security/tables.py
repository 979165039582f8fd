"""Tables of the section Security of docs/reliability.md."""

from __future__ import annotations

from typing import Tuple

from benchmarks.rows import Rows
from benchmarks.tables import Table, markdown_table

_DOCUMENT = "docs/reliability.md"


def network_table(rows: Rows) -> str:
    """Returns how many sockets training and answering tried to open."""
    lines = [
        [row["backend"], row["how"], "yes" if row["code"] == 0 else "**no**", str(row["n_sockets"])]
        for row in rows
    ]
    head = ["backend", "how", "trained and answered", "sockets tried"]
    return markdown_table(head, lines, n_left=3)


def audit_table(rows: Rows) -> str:
    """Returns which service knows what of the locked packages."""
    lines = []
    for row in rows:
        if not row["answered"]:
            lines.append([row["service"], f"not possible where this ran: {row['why']}"])
            continue
        known = "; ".join(f"{name}: {', '.join(ids)}" for name, ids in row["advisories"].items())
        until = f", until {row['newest']}" if "newest" in row else ""
        found = f"{row['n_packages']} packages; {known or 'none known'}"
        lines.append([row["service"] + until, found])
    return markdown_table(["service", "advisories"], lines, n_left=2)


TABLES: Tuple[Table, ...] = (
    Table("security_network", _DOCUMENT, ("security/no_network.jsonl",), network_table),
    Table("security_audit", _DOCUMENT, ("security/audit.jsonl",), audit_table),
)
