"""Tables of a server under many clients."""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple

from benchmarks.reliability.serving.serving import MEMORY, PARSE, TALK
from benchmarks.rows import Rows, machine_of, select
from benchmarks.tables import NOTHING, Table, markdown_table

_KINDS = {PARSE: "`/model/parse`", TALK: "conversations"}
# Clients at which a machine is asked as much as it can answer, and nobody waits long.
_BUSY = 8
# Several times as many programs as cores: not the server and its clients alone.
_CROWDED = 2.0
_PACKAGES = ("rasa-tokprune", "rasa", "tensorflow", "tensorflow-cpu")

Row = Mapping[str, Any]


def load_line(rows: Rows) -> str:
    """Returns the machine of some rows, and what else it did when they were measured."""
    loads = [row["load_average"] for row in rows]
    last = rows[-1]["environment"]
    cores, versions = last["cores"], last["versions"]
    said = f"load average {min(loads):.1f} to {max(loads):.1f}" if len(loads) > 1 else (
        f"load average {loads[0]:.1f}"
    )  # fmt: skip
    if max(loads) > _CROWDED * cores:
        said += f" on {cores} cores: other programs ran meanwhile, so the times are those of a "
        said += "busy machine"
    named = ", ".join(f"{name} {versions[name]}" for name in _PACKAGES if name in versions)
    days = " and ".join(sorted({row["environment"]["date"] for row in rows}))
    return f"{machine_of(rows[-1])}, {cores} usable cores; {named}; {days}; {said}."


def answers_table(rows: Rows) -> str:
    """Returns wrong and lost answers, times and messages a second, by workers and clients."""
    asked = sorted((row for row in rows if row["kind"] in _KINDS), key=_order)
    if not asked:
        return NOTHING
    head = ["requests", "workers", "clients", "messages", "wrong", "lost", "p50 ms", "p95 ms",
            "p99 ms", "messages/s"]  # fmt: skip
    lines = [
        [
            _KINDS[row["kind"]],
            str(row["settings"]["workers"]),
            str(row["settings"]["clients"]),
            *_counts(row),
            *(f"{row[name]:.0f}" for name in ("p50_ms", "p95_ms", "p99_ms", "messages_per_s")),
        ]
        for row in asked
    ]
    return f"{markdown_table(head, lines)}\n\n{load_line(asked)}"


def memory_table(rows: Rows) -> str:
    """Returns what each process of a server takes, the weights among it."""
    chosen = sorted(select(rows, kind=MEMORY), key=lambda row: row["settings"]["workers"])
    if not chosen:
        return NOTHING
    head = ["workers", "PSS of each MB", "all together MB", "own pages of each MB",
            "weights mapped by each MB", "its share of them MB", "threads of each"]  # fmt: skip
    lines = []
    for row in chosen:
        # Of several workers the first process only waits for the others.
        first = 1 if row["n_processes"] > 1 else 0
        lines.append(
            [
                str(row["settings"]["workers"]),
                _span(row["pss_mb"][first:]),
                f"{sum(row['pss_mb']):.0f}",
                _span(row["anonymous_mb"][first:]),
                _span(row["weights_rss_mb"]),
                _span(row["weights_pss_mb"]),
                _span(row["threads"][first:]),
            ]
        )
    return f"{markdown_table(head, lines)}\n\n{load_line(chosen)}"


def layouts_table(rows: Rows) -> str:
    """Returns what came of each layout of docs/deployment.md."""
    if not rows:
        return NOTHING
    head = ["layout", "messages", "wrong", "lost", "p50 ms", "p99 ms"]
    lines = []
    for row in rows:
        limit = f": {row['limit']}, {_span(row['threads'])} threads" if "limit" in row else ""
        if "throttled" in row:
            limit += f", stopped in {100 * row['throttled']:.0f}% of the periods"
        times = [f"{row[name]:.0f}" for name in ("p50_ms", "p99_ms")]
        lines.append([f"{row['kind']}{limit}", *_counts(row), *times])
    return f"{markdown_table(head, lines)}\n\n{load_line(rows)}"


def capacity_table(rows: Rows) -> str:
    """Returns how many messages a second one machine answers, by workers."""
    chosen = [row for row in rows if row.get("settings", {}).get("clients") == _BUSY]
    if not chosen:
        return NOTHING
    lines = []
    for workers in sorted({row["settings"]["workers"] for row in chosen}):
        own = {row["kind"]: row for row in chosen if row["settings"]["workers"] == workers}
        cells = [str(workers)]
        for kind in (PARSE, TALK):
            row = own.get(kind)
            cells += [f"{row['messages_per_s']:.0f}", f"{row['p95_ms']:.0f}"] if row else ["", ""]
        lines.append(cells)
    head = ["workers", "`/model/parse` a second", "p95 ms", "messages of conversations a second",
            "p95 ms"]  # fmt: skip
    return (
        f"{markdown_table(head, lines)}\n\nThe example bot with Redis stores, on the same machine "
        f"as its {_BUSY} clients. {load_line(chosen)}"
    )


def _order(row: Row) -> Tuple[int, int, int]:
    kinds: List[str] = list(_KINDS)
    settings = row["settings"]
    return kinds.index(row["kind"]), settings["workers"], settings["clients"]


def _counts(row: Row) -> List[str]:
    return [str(row[name]) for name in ("n", "wrong", "lost")]


def _span(numbers: List[float]) -> str:
    """Returns the least and the most of some numbers, or the one that all are."""
    if not numbers:
        return ""
    least, most = f"{min(numbers):.0f}", f"{max(numbers):.0f}"
    return least if least == most else f"{least} to {most}"


_SERVING, _LAYOUTS = "serving/serving.jsonl", "serving/layouts.jsonl"
TABLES = (
    Table("serving_answers", "docs/reliability.md", (_SERVING,), answers_table),
    Table("serving_memory", "docs/reliability.md", (_SERVING,), memory_table),
    Table("serving_layouts", "docs/reliability.md", (_LAYOUTS,), layouts_table),
    Table("serving_capacity", "docs/deployment.md", (_SERVING,), capacity_table),
)
