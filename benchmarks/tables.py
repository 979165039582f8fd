"""Writes every generated table and plot of the documents from the raw rows.

python -m benchmarks.tables [QUESTION ...] [--check]

In a document a generated table stands between the lines <!-- table:MARKER --> and
<!-- end table -->. Each question's folder says in its `tables.py` which tables and plots there are
(TABLES, PLOTS), of which of its files with rows, and how they are made.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, Tuple

from benchmarks.rows import Rows, read_rows
from rasa_tokprune.commands.run import run_command
from rasa_tokprune.errors import ConfigError, did_you_mean

QUESTIONS = (
    "latency", "accuracy", "decisions", "adapters", "robustness", "languages", "rasa", "scale",
    "peers", "reliability",
)  # fmt: skip
ROOT = Path(__file__).resolve().parents[1]
NOTHING = "Not measured yet."
_END = "<!-- end table -->"
_NOTHING_CHANGED = "Every table is what its rows say."


@dataclasses.dataclass(frozen=True)
class Table:
    """A generated table, or sentence, of a document.

    Attributes:
        marker: What it is called in the document.
        document: Path from the repository's root.
        rows: Names of files with rows in the question's folder.
        render: Rows of each of these files -> Markdown.
    """

    marker: str
    document: str
    rows: Tuple[str, ...]
    render: Callable[..., str]


@dataclasses.dataclass(frozen=True)
class Plot:
    """A generated picture.

    Attributes:
        path: PNG file, from the repository's root; its twin for dark pages is NAME-dark.png.
        rows: Names of files with rows in the question's folder.
        draw: Takes the rows of each of these files and where to write the picture.
    """

    path: str
    rows: Tuple[str, ...]
    draw: Callable[..., None]


def markdown_table(
    head: Sequence[str], lines: Sequence[Sequence[str]], *, n_left: int = 1, is_spaced: bool = False
) -> str:
    """Returns a Markdown table; its columns are set to the right, the first ones to the left.

    Args:
        head: Names of the columns.
        lines: Cells of each line; those missing at its end stay empty.
        n_left: Columns set to the left.
        is_spaced: Whether the line below the head has blanks.
    """
    rule = ["---"] * n_left + ["--:"] * (len(head) - n_left)
    below = f"| {' | '.join(rule)} |" if is_spaced else f"|{'|'.join(rule)}|"
    written = [f"| {' | '.join(cells)} |" + " |" * (len(head) - len(cells)) for cells in lines]
    return "\n".join([f"| {' | '.join(head)} |", below, *written])


def versions_of(rows: Rows) -> str:
    """Returns the packages that all rows name, with every version they were measured with."""
    own = [row["environment"]["versions"] for row in rows]
    found: Dict[str, List[str]] = {}
    for name in (name for name in own[0] if all(name in versions for versions in own)):
        found[name] = list(dict.fromkeys(versions[name] for versions in own))
    return ", ".join(f"{name} {' or '.join(several)}" for name, several in found.items())


def machine_line(rows: Rows) -> str:
    """Returns one line on the machine, the versions and the days."""
    last = rows[-1]["environment"]
    versions = versions_of(rows)
    cores = sorted({row["environment"]["cores"] for row in rows})
    days = sorted({row["environment"]["date"] for row in rows})
    day = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    usable = f"{' or '.join(map(str, cores))} usable core{'s' * (cores[-1] > 1)}"
    cpu = f"{last['cpu']}, {usable} ({', '.join(last['flags'])})"
    return f"{cpu}; {versions}; {day}."


def replace_table(text: str, table: Table, content: str) -> str:
    """Returns a document with a table's content replaced.

    Raises:
        ConfigError: If the table has no place there, or more than one.
    """
    start = f"<!-- table:{table.marker} -->"
    before, *after = text.split(start)
    if len(after) != 1 or _END not in after[0]:
        raise ConfigError(
            f"'{table.document}' needs the lines {start} and {_END}, once, for the table to stand "
            f"between them"
        )
    _, rest = after[0].split(_END, 1)
    return f"{before}{start}\n{content}\n{_END}{rest}"


def tables_of(question: str) -> Tuple[Table, ...]:
    """Returns the tables of a question."""
    tables: Tuple[Table, ...] = _module_of(question).TABLES
    return tables


def plots_of(question: str) -> Tuple[Plot, ...]:
    """Returns the plots of a question."""
    plots: Tuple[Plot, ...] = _module_of(question).PLOTS
    return plots


def render(question: str, table: Table) -> str:
    """Returns what the rows say."""
    return table.render(*rows_of(question, table.rows))


def run(arguments: argparse.Namespace) -> int:
    """Writes, or checks, the tables of the questions named; 1 if a table is not what it should be.

    Raises:
        ConfigError: If a question, a file with rows or a table's place is missing.
    """
    for name in arguments.questions:
        if name not in QUESTIONS:
            raise ConfigError(
                f"no question '{name}'.{did_you_mean(name, QUESTIONS)} "
                f"Questions: {', '.join(QUESTIONS)}"
            )
    questions = arguments.questions or QUESTIONS
    if arguments.check:
        lines = [
            f"{table.document}: table '{table.marker}' is not what {' and '.join(table.rows)} in "
            f"benchmarks/{question} say"
            for question, table in _changed_tables(questions)
        ]
        print("\n".join(lines) or _NOTHING_CHANGED)
        return 1 if lines else 0
    _write(questions)
    return 0


def _changed_tables(questions: Sequence[str]) -> Iterator[Tuple[str, Table]]:
    """Yields question and table wherever the document says something else than the rows."""
    for question in questions:
        for table in tables_of(question):
            text = _read(table.document)
            if replace_table(text, table, render(question, table)) != text:
                yield question, table


def _write(questions: Sequence[str]) -> None:
    """Writes what changed, once all tables are made, and every plot."""
    documents: Dict[str, str] = {}
    changed = list(_changed_tables(questions))
    for question, table in changed:
        text = documents.get(table.document) or _read(table.document)
        documents[table.document] = replace_table(text, table, render(question, table))
    for path, text in documents.items():
        (ROOT / path).write_text(text, encoding="utf-8")
    for _, table in changed:
        print(f"written: {table.document}, table '{table.marker}'")
    if not changed:
        print(_NOTHING_CHANGED)
    for question in questions:
        for plot in plots_of(question):
            plot.draw(*rows_of(question, plot.rows), ROOT / plot.path)
            print(f"written: {plot.path}, light and dark")


def _read(document: str) -> str:
    try:
        return (ROOT / document).read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"'{document}' cannot be read: {error.strerror}") from error


def _module_of(question: str) -> Any:
    return importlib.import_module(f"benchmarks.{question}.tables")


def rows_of(question: str, names: Sequence[str]) -> List[Rows]:
    """Returns the rows of some files of a question.

    Raises:
        ConfigError: If a file is not there or holds none.
    """
    folder = ROOT / "benchmarks" / question
    found = [read_rows(folder / name) for name in names]
    for name, rows in zip(names, found):
        if not rows:
            raise ConfigError(f"'{folder / name}' holds no row; benchmarks/{question}/run measures")
    return list(found)


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Runs the command and returns its exit code."""
    own = parser()
    return run_command(own.prog, run, own.parse_args(arguments))


def parser() -> argparse.ArgumentParser:
    """Returns the command's parser."""
    made = argparse.ArgumentParser(
        prog="python -m benchmarks.tables",
        description="Writes the tables and plots of the documents from the raw rows.",
    )
    made.add_argument(
        "questions", nargs="*", metavar="QUESTION", help=f"default: all of {', '.join(QUESTIONS)}"
    )
    made.add_argument(
        "--check",
        action="store_true",
        help="write nothing; exit code 1 and a line for each table that is not what the rows say",
    )
    return made


if __name__ == "__main__":
    sys.exit(main())
