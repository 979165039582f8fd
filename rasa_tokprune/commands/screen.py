"""What a command shows: one look for all of them, on terminals, in pipes, for programs.

Results go to stdout, progress and remarks to stderr. With `--json` stdout holds JSON alone, one
object a line; with `--quiet` there are no bars and no remarks, results stay.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from typing import Any, Iterable, Iterator, List, Mapping, Optional, Sequence, TypeVar, Union

from rich.cells import cell_len
from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text
from tqdm import tqdm

from rasa_tokprune.commands.output import json_text
from rasa_tokprune.terminal import CONTROL, printable

Item = TypeVar("Item")
Cell = Union[str, Text]

# A pipe has no width; nothing is cut there.
_PIPE_WIDTH = 10_000
# Blanks between columns.
_GAP = 2
# A table's widest column may be folded to so many characters.
_LEAST_FOLDED = 24
_BAR_WIDTH = 20
# Frames of ASCII: every terminal has them.
_SPINNER = "line"
# Meanings to styles of the terminal's own palette, so that they suit its ground. Colour never says
# anything that the text beside it does not.
STYLES: Mapping[str, str] = {
    "good": "green",
    "middling": "yellow",
    "bad": "red",
    "strong": "bold",
    "faint": "dim",
}


class _Console(Console):
    """A console that leaves it to `run_command` what a pipe closed early means."""

    def on_broken_pipe(self) -> None:
        raise  # rich calls this while it handles the error


class Screen:
    """Shows a command's results.

    Attributes:
        quiet: Whether bars and remarks are left out.
        is_json: Whether results are JSON lines.
    """

    def __init__(
        self, *, quiet: bool = False, is_json: bool = False, is_markdown: bool = False
    ) -> None:
        """Writes to stdout and stderr as they are now; tables in Markdown if asked for."""
        self.quiet = quiet
        self.is_json = is_json
        self._is_markdown = is_markdown
        width = None if sys.stdout.isatty() else _PIPE_WIDTH
        self._out = _Console(
            file=sys.stdout, width=width, highlight=False, markup=False, emoji=False, soft_wrap=True
        )

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Screen:
        """Returns the screen that `--quiet`, `--json` and `--markdown` ask for, where there."""
        return cls(
            quiet=getattr(arguments, "quiet", False),
            is_json=getattr(arguments, "json", False),
            is_markdown=getattr(arguments, "markdown", False),
        )

    @property
    def width(self) -> int:
        """Characters in a line."""
        return self._out.width

    def heading(self, text: str) -> None:
        """Shows the title of what follows."""
        self._out.print(styled(text, "strong"))

    def line(self, text: str = "", *, meaning: str = "") -> None:
        """Shows a line, in the colour of a meaning of `STYLES`."""
        self._out.print(styled(text, meaning))

    def pairs(self, pairs: Iterable[Sequence[Cell]], *, indent: int = 0) -> None:
        """Shows names and what they stand for, aligned; a name is shown faint."""
        grid = Table.grid(padding=(0, _GAP))
        grid.add_column(style=STYLES["faint"], no_wrap=True)
        grid.add_column(overflow="fold")
        for name, value in pairs:
            grid.add_row(_cell(" " * indent + str(name)), _cell(value))
        self._print_table(grid)

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, n_left: int = 1
    ) -> None:
        """Shows a table; its columns are set to the right, the first ones to the left.

        Where the screen is too narrow for it each row is shown as pairs of column and cell.

        Args:
            columns: Their names.
            rows: Cells of each row, as many as columns.
            n_left: Columns set to the left.
        """
        shown = [list(map(_cell, row)) for row in rows]
        if self._is_markdown:
            print("\n".join(_markdown(columns, shown, n_left)))
            return
        if _least_width(columns, shown) > self.width:
            for number, row in enumerate(shown):
                if number:
                    self.line()
                self.pairs(zip(columns, row))
            return
        table = Table(
            box=None,
            pad_edge=False,
            padding=(0, _GAP),
            collapse_padding=True,
            header_style=STYLES["strong"],
        )
        for number, name in enumerate(columns):
            is_left = number < n_left
            table.add_column(_cell(name), justify="left" if is_left else "right", overflow="fold")
        for row in shown:
            table.add_row(*row)
        self._print_table(table)

    def json(self, value: Any) -> None:
        """Shows a JSON value on a line of its own, which stays JSON in every encoding."""
        print(shown_json(value))

    def remark(self, text: str) -> None:
        """Shows a line beside the results, on stderr."""
        if not self.quiet:
            print(printable(text), file=sys.stderr)

    def failure(self, text: str) -> None:
        """Shows a line on stderr that `--quiet` leaves: what does not hold."""
        print(printable(text), file=sys.stderr)

    def progress(
        self, items: Iterable[Item], name: str, *, total: Optional[int] = None, delay: float = 0
    ) -> Iterable[Item]:
        """Returns the items, with a bar on stderr that moves as they are taken.

        Args:
            items: What is gone through.
            name: In front of the bar.
            total: How many items there are, if they do not say.
            delay: Seconds before the bar is shown.
        """
        return tqdm(
            items, desc=name, total=total, disable=self.quiet, file=sys.stderr, delay=delay,
            leave=delay == 0,
        )  # fmt: skip

    def progress_name(self, name: str) -> Optional[str]:
        """Returns the name of a bar that somebody else draws; None for none."""
        return None if self.quiet else name

    @contextlib.contextmanager
    def working(self, name: str) -> Iterator[None]:
        """Says on a terminal what goes on, for as long as it does, where nothing can be counted."""
        if self.quiet or not sys.stderr.isatty():
            yield
            return
        console = _Console(file=sys.stderr, highlight=False, markup=False, emoji=False)
        spinner = Spinner(_SPINNER, Text(f"{printable(name)} ..."))
        # What is imported meanwhile may keep sys.stderr, so that stays what it is.
        with Live(
            spinner, console=console, transient=True, redirect_stdout=False, redirect_stderr=False
        ):
            yield

    def _print_table(self, table: Table) -> None:
        # Pipes get no blanks at the ends of lines.
        if self._out.is_terminal:
            self._out.print(table, soft_wrap=False)
            return
        with self._out.capture() as captured:
            self._out.print(table, soft_wrap=False)
        lines: List[str] = [line.rstrip() for line in captured.get().splitlines()]
        print("\n".join(lines))


def styled(text: str, meaning: str = "") -> Text:
    """Returns a piece of text in the colour of a meaning of `STYLES`, escaped.

    What the encoding of stdout lacks is escaped here, before columns are laid out.
    """
    encoding = sys.stdout.encoding or "utf-8"
    shown = printable(text).encode(encoding, "backslashreplace").decode(encoding)
    return Text(shown, style=STYLES.get(meaning, ""))


def shown_json(value: Any) -> str:
    """Returns a JSON value in a line that stays JSON on stdout, whatever its encoding."""
    line = json_text(value, sys.stdout.encoding or "utf-8")
    return CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", line)


def bar(share: float, width: int = _BAR_WIDTH) -> str:
    """Returns a share of 0 to 1 as a bar of plain characters."""
    n_full = round(width * min(max(share, 0.0), 1.0))
    return "#" * n_full + "." * (width - n_full)


def _least_width(columns: Sequence[str], rows: Sequence[Sequence[Text]]) -> int:
    """Returns how wide a table is with its widest column folded."""
    widths = [
        max([cell_len(column), *(row[place].cell_len for row in rows)])
        for place, column in enumerate(columns)
    ]
    folded = max(max(widths) - _LEAST_FOLDED, 0)
    return sum(widths) - folded + _GAP * (len(widths) - 1)


def _markdown(columns: Sequence[str], rows: Sequence[Sequence[Text]], n_left: int) -> Iterator[str]:
    yield f"| {' | '.join(columns)} |"
    yield "|" + "|".join("---" if place < n_left else "--:" for place in range(len(columns))) + "|"
    for row in rows:
        cells = [cell.plain.replace("|", "\\|") for cell in row]
        yield f"| {' | '.join(cells)} |"


def _cell(value: Cell) -> Text:
    return value if isinstance(value, Text) else styled(str(value))
