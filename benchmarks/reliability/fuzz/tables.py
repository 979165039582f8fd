"""Tables of what was generated, how much of it, and what came out."""

from __future__ import annotations

from typing import Any, List, Mapping, Tuple

from benchmarks.rows import Rows, select
from benchmarks.tables import Table, markdown_table

DOCUMENT = "docs/reliability.md"


def _of(row: Mapping[str, Any]) -> str:
    """Returns how many were really tried, and of how many, where that is fewer."""
    asked = f" of {row['asked']:,}" if row["n"] < row["asked"] else ""
    return f"{row['n']:,}{asked}"


def messages_table(rows: Rows) -> str:
    """Returns messages answered by model and engine, and what was wrong with the answers."""
    head = ["model", "engine", "seed", "messages", "wrong", "features differ by at most"]
    head += ["slowest, CPU ms", "which was"]
    lines = []
    for row in rows:
        cells = [row["model"], row["engine"], str(row["seed"]), _of(row)]
        cells += [str(len(row["findings"])), f"{row['largest_difference']:.1g}"]
        if "slowest_cpu_ms" in row:
            slowest = f"{row['slowest_kind']}, {row['slowest_characters']:,} characters"
            cells += [f"{row['slowest_cpu_ms']:.0f}", slowest]
        lines.append(cells)
    return markdown_table(head, lines, n_left=2, is_spaced=True)


def inputs_table(configs: Rows, files: Rows) -> str:
    """Returns configurations and training files tried, and how each ended."""
    head = ["", "tried", "taken", "refused in one line", "anything else"]
    lines = [
        ["configurations", _of(row), *_endings(row.get("taken"), row.get("refused"),
                                              row.get("finding"))]
        for row in configs
    ]  # fmt: skip
    for row in files:
        found = row["outcomes"]
        for name, what in (("training files, read", "read"), ("of Rasa's, trained on", "trained")):
            ends = [found.get(f"{what}: {each}", 0) for each in ("taken", "refused", "finding")]
            n = _of(row) if what == "read" else f"{sum(ends):,}"
            lines.append([name, n, *_endings(*ends)])
    return markdown_table(head, lines, is_spaced=True)


def readers_sentence(rows: Rows) -> str:
    """Returns what the two readers of training data made of the same files."""
    found = rows[-1]["outcomes"]

    def count(name: str) -> int:
        return int(found.get(name, 0))

    return (
        f"Both readers took {count('both took it: the same') + count('both took it: different')} "
        f"files with examples and read the same in {count('both took it: the same')} of them. "
        f"Rasa alone took {count('only Rasa took it')}, the package alone "
        f"{count('only the package took it')}. On {count('rasa: raised another error')} files Rasa "
        f"raised an error that is none of its own for such files."
    )


def native_table(rows: Rows) -> str:
    """Returns the inputs each build of the C library was given in all runs, and the findings."""
    head = ["build", "sanitizers", "CPU seconds", "inputs", "inputs per CPU second"]
    head += ["edges reached", "findings"]
    fuzzed, lines = select(rows, kind="fuzzed"), []
    for cpu, sanitizers in dict.fromkeys((row["cpu"], row["sanitizers"]) for row in fuzzed):
        own = select(fuzzed, cpu=cpu, sanitizers=sanitizers)
        seconds = sum(row["cpu_seconds"] for row in own)
        inputs = sum(row["executions"] for row in own)
        findings = sum(len(row["findings"]) for row in own)
        cells = [cpu, sanitizers, f"{seconds:.0f}", f"{inputs:,}", f"{inputs / seconds:.0f}"]
        edges = max(row["edges"] for row in own)
        lines.append([*cells, str(edges) if edges else "not counted", str(findings)])
    return markdown_table(head, lines, n_left=2, is_spaced=True)


def reached_table(rows: Rows) -> str:
    """Returns how many lines of each source file the inputs reach."""
    row = select(rows, kind="reached")[-1]
    lines = [
        [f"`{name}`", str(reached), str(count)]
        for name, (reached, count) in row["by_file"].items()
        if count
    ]
    lines.append(["together", str(row["lines_reached"]), str(row["lines"])])
    return markdown_table(["file", "lines reached", "lines"], lines, is_spaced=True)


def _endings(*counts: Any) -> List[str]:
    return [f"{count or 0:,}" for count in counts]


_NATIVE, _FILES = "fuzz/native.jsonl", "fuzz/nlu_files.jsonl"
TABLES: Tuple[Table, ...] = (
    Table("fuzz_messages", DOCUMENT, ("fuzz/messages.jsonl",), messages_table),
    Table("fuzz_inputs", DOCUMENT, ("fuzz/configs.jsonl", _FILES), inputs_table),
    Table("fuzz_readers", DOCUMENT, (_FILES,), readers_sentence),
    Table("fuzz_native", DOCUMENT, (_NATIVE,), native_table),
    Table("fuzz_reached", DOCUMENT, (_NATIVE,), reached_table),
)
