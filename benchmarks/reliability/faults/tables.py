"""Tables of the section Faults of docs/reliability.md."""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple

from benchmarks.reliability.faults.kills import RANDOM
from benchmarks.reliability.faults.resumes import KINDS
from benchmarks.rows import Rows, in_order, select
from benchmarks.tables import Table, machine_line, markdown_table

_DOCUMENT = "docs/reliability.md"
# Kills at random moments that the table takes for whole.
_ENOUGH = 50


def kills_table(rows: Rows) -> str:
    """Returns what was left of trainings that were killed."""
    lines = []
    for kind in in_order(rows, "kind"):
        of_kind = select(rows, kind=kind)
        is_short = kind == RANDOM and len(of_kind) < _ENOUGH
        marked = f"{len(of_kind)} (a short run: {_ENOUGH} are meant)" if is_short else len(of_kind)
        lines.append([kind, str(marked), *(_share(of_kind, field) for field in _TRUE)])
        lines[-1] += [str(sum(bool(row[field]) for row in of_kind)) for field in _COUNTED]
    head = ["killed at", "kills", *_TRUE.values(), *_COUNTED.values()]
    return markdown_table(head, lines) + "\n\n" + machine_line(rows)


_TRUE = {
    "previous_answers": "model before answers as before",
    "next_answers": "next training gives the right model",
    "weights_after": "our cache is whole after it",
}
_COUNTED = {
    "half_archives": "half an archive in `models` (Rasa's)",
    "half_weights": "half a file in our cache",
}


def _share(rows: List[Mapping[str, Any]], field: str) -> str:
    return f"{sum(bool(row[field]) for row in rows)} of {len(rows)}"


def surroundings_table(rows: Rows) -> str:
    """Returns how trainings ended where something around them fails."""
    lines = [
        [
            row["trial"],
            row["made_by"],
            row["got"] + ("" if row["is_right"] else f" (expected: {row['expected']})"),
            "a traceback" if row["has_traceback"] else "one line" if row["said"] else "nothing",
        ]
        for row in rows
    ]
    return markdown_table(["what fails", "made by", "`rasa train`", "says"], lines, n_left=4)


def damage_table(rows: Rows) -> str:
    """Returns what a command and a server made of damaged archives."""
    lines = [
        [
            row["what"],
            row["how"],
            "refused, one line" if (row["code"], row["n_lines"]) == (2, 1) else "**taken**",
            str(row["status"]),
            "yes" if row["answers_as_before"] else "**no**",
        ]
        for row in rows
    ]
    head = ["file", "damage", "`rasa-tokprune parse`", "`PUT /model`", "server answers as before"]
    return markdown_table(head, lines, n_left=5)


def resumes_table(rows: Rows) -> str:
    """Returns how commands that were killed went on."""
    lines = []
    for command in in_order(rows, "command"):
        own = select(rows, command=command)
        of_files = "*" in KINDS[command].kept  # of one file, how far it is inside
        lines.append(
            [
                f"`{command}`",
                str(len(own)),
                _share(own, "same"),
                str(sum(row["kept"] > 0 for row in own)),
                str(sum(row["made_again"] for row in own)) if of_files else "not counted",
            ]
        )
    head = ["command", "kills", "result as undisturbed", "had kept something", "made again"]
    return markdown_table(head, lines) + "\n\n" + machine_line(rows)


TABLES: Tuple[Table, ...] = (
    Table("faults_kills", _DOCUMENT, ("faults/kills.jsonl",), kills_table),
    Table("faults_resumes", _DOCUMENT, ("faults/resumes.jsonl",), resumes_table),
    Table("faults_surroundings", _DOCUMENT, ("faults/surroundings.jsonl",), surroundings_table),
    Table("faults_damage", _DOCUMENT, ("faults/damage.jsonl",), damage_table),
)
