"""Tables of the section Operations of docs/reliability.md."""

from __future__ import annotations

from statistics import median
from typing import List, Tuple

from benchmarks.reliability.serving.tables import load_line
from benchmarks.rows import Rows, in_order, select
from benchmarks.tables import Table, markdown_table


def costs_table(rows: Rows) -> str:
    """Returns medians over rounds of what clients of each variant saw."""
    lines: List[List[str]] = []
    for variant in in_order(rows, "variant"):
        alone, several = (select(rows, variant=variant, clients=n) for n in (1, 8))
        of_variant = [*alone, *several]
        cells = [variant, str(len(alone)), str(sum(row["n"] for row in of_variant))]
        cells += [str(sum(row["wrong"] + row["lost"] for row in of_variant))]
        for field in ("p50_ms", "p99_ms"):
            cells.append(f"{median(row[field] for row in alone):.1f}")
        cells.append(f"{median(row['messages_per_s'] for row in several):.0f}")
        cells.append(f"{median(row['own_mb'] for row in several):.0f}")
        lines.append(cells)
    head = [
        "watched by", "rounds", "messages", "wrong or lost", "one client: p50 ms", "p99 ms",
        "eight clients: messages/s", "own pages MB",
    ]  # fmt: skip
    return markdown_table(head, lines) + "\n\n" + load_line(rows)


def containers_table(rows: Rows) -> str:
    """Returns what was seen of the image, and of a new one taking its place."""
    (row,) = rows
    writable = [place for place, is_so in row["writable"].items() if is_so]
    codes = sorted(set(row["exit_codes"]))
    stand_ins = row["stand_ins"]
    built_on = ", ".join(f"{name} ({what})" if what else name for name, what in stand_ins.items())
    lines = [
        ["built on", built_on],
        ["proxy, stores", f"{row['nginx'].split()[-1]}, Redis {row['redis'].split()[2][2:]}"],
        ["image", f"{row['image_mb'] / 1e3:.1f} GB"],
        ["user, and where it may write", f"{row['user']}; {', '.join(writable)}"],
        ["memory of a replica", " and ".join(row["memory"])],
        ["all healthy after", f"{row['healthy_s']:.0f} s"],
        ["answers without a network", "yes" if row["without_network"] else "**no**"],
        ["replicas replaced under load", str(row["replaced"])],
        ["messages meanwhile", f"{row['n']}: {row['wrong']} wrong, {row['lost']} lost"],
        ["p50, longest", f"{row['p50_ms']:.0f} ms, {row['longest_ms']:.0f} ms"],
        ["exit codes after `docker compose stop`", ", ".join(map(str, codes))],
    ]
    return (
        markdown_table(["example_bot/deploy", "seen"], lines, n_left=2) + "\n\n" + load_line(rows)
    )


def workflow_table(rows: Rows) -> str:
    """Returns how each step ended for each pull request."""
    names = [each["name"] for each in rows[0]["steps"]]
    lines = []
    for row in rows:
        outcomes = {each["name"]: each["outcome"] for each in row["steps"]}
        comment = f"{len(row['comment'].splitlines())} lines"
        lines.append([row["case"], *(outcomes[name] for name in names), comment, row["conclusion"]])
    return markdown_table(["pull request", *names, "comment", "job"], lines, n_left=len(names) + 3)


TABLES: Tuple[Table, ...] = (
    Table("operations_costs", "docs/reliability.md", ("operations/costs.jsonl",), costs_table),
    Table("containers", "docs/reliability.md", ("operations/containers.jsonl",), containers_table),
    Table("workflow", "docs/reliability.md", ("operations/workflow.jsonl",), workflow_table),
)
