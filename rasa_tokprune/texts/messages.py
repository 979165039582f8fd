"""Messages of users in a file of any length: lines, JSON lines or CSV, read as they are needed."""

from __future__ import annotations

import csv
import dataclasses
import json
import sys
from pathlib import Path
from typing import Any, BinaryIO, Dict, Iterator, Optional

from rasa_tokprune.errors import ConfigError, did_you_mean

LINES, JSON_LINES, CSV = "lines", "jsonl", "csv"
FORMATS = (LINES, JSON_LINES, CSV)
STDIN = "-"
_BY_ENDING = {".jsonl": JSON_LINES, ".ndjson": JSON_LINES, ".csv": CSV}
_NOT_MESSAGES = {
    ".yml": "is YAML; give messages as lines, JSON lines or CSV",
    ".yaml": "is YAML; give messages as lines, JSON lines or CSV",
    ".json": "may hold one JSON value of many lines; name it .jsonl if each line is an object",
    ".xlsx": "is a workbook; save it as CSV in UTF-8",
}
# A field of CSV may be as long as a message may be, which Python's csv would cut at 131,072.
_LONGEST_FIELD = 2**31 - 1


@dataclasses.dataclass(frozen=True)
class Message:
    """A message of a user.

    Attributes:
        text: As it stands in the file.
        id: What the file calls it, any JSON value; None if it has no name.
    """

    text: str
    id: Any = None


@dataclasses.dataclass(frozen=True)
class MessageFile:
    """Where messages are.

    Attributes:
        name: Path of the file; '-' is stdin.
        format: One of FORMATS; None goes by the file's ending, for stdin lines.
        text_key: Key of JSON objects, or column of CSV, that holds the text.
        id_key: The one that holds a message's name; need not be there.
    """

    name: str
    format: Optional[str] = None
    text_key: str = "text"
    id_key: str = "id"

    def __post_init__(self) -> None:
        """Settles the format."""
        if self.format is None:
            ending = Path(self.name).suffix.lower()
            if self.name != STDIN and ending in _NOT_MESSAGES:
                raise ConfigError(f"'{self.name}' {_NOT_MESSAGES[ending]}")
            object.__setattr__(self, "format", _BY_ENDING.get(ending, LINES))
        elif self.format not in FORMATS:
            raise ConfigError(f"a file of messages is one of {', '.join(FORMATS)}")

    def count(self) -> Optional[int]:
        """Returns how many lines it has; None of what can be read only once (stdin, a pipe).

        None of CSV too, whose rows may be longer than a line.

        Raises:
            ConfigError: If it cannot be read.
        """
        if self.name == STDIN or self.format == CSV or Path(self.name).is_fifo():
            return None
        n_lines, last = 0, b"\n"
        with self._open() as file:
            while chunk := file.read(1 << 20):
                n_lines += chunk.count(b"\n")
                last = chunk[-1:]
        return n_lines + (last != b"\n")

    def read(self) -> Iterator[Message]:
        r"""Yields the messages in order, holding one line at a time.

        Only \n and \r\n end a line of text; an empty one is a message too. Blank lines of JSON
        lines and CSV are none. A byte order mark is no part of the first line.

        Raises:
            ConfigError: If it cannot be read; the line is named.
        """
        readers = {LINES: self._lines, JSON_LINES: self._objects, CSV: self._rows}
        with self._open() as file:
            yield from readers[str(self.format)](file)

    def _open(self) -> BinaryIO:
        if self.name == STDIN:
            # A copy of the handle, so that closing it leaves stdin as it was.
            return open(sys.stdin.fileno(), "rb", closefd=False)
        try:
            return open(self.name, "rb")
        except OSError as error:
            raise ConfigError(f"'{self.name}' cannot be read: {error.strerror}") from error

    def _decoded(self, file: BinaryIO) -> Iterator[str]:
        """Yields lines with their ends."""
        for number, line in enumerate(file, start=1):
            try:
                text = line.decode("utf-8")
            except UnicodeDecodeError as error:
                raise self._error(
                    number, f"no UTF-8: {error.reason}; save the file as UTF-8"
                ) from error
            yield text.removeprefix("\ufeff") if number == 1 else text

    def _lines(self, file: BinaryIO) -> Iterator[Message]:
        for line in self._decoded(file):
            yield Message(line.removesuffix("\n").removesuffix("\r"))

    def _objects(self, file: BinaryIO) -> Iterator[Message]:
        for number, line in enumerate(self._decoded(file), start=1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except ValueError as error:
                raise self._error(number, f"no JSON: {error}") from error
            if not isinstance(value, dict):
                raise self._error(number, f'expected an object such as {{"{self.text_key}": ...}}')
            yield self._message(number, value)

    def _rows(self, file: BinaryIO) -> Iterator[Message]:
        csv.field_size_limit(_LONGEST_FIELD)
        reader = csv.DictReader(self._decoded(file), strict=True)
        try:
            columns = list(reader.fieldnames or [])
            if self.text_key not in columns:
                raise ConfigError(
                    f"'{self.name}' has no column '{self.text_key}', but {_listed(columns)}."
                    f"{did_you_mean(self.text_key, columns)} Name the one with the messages: "
                    f"--text-key"
                )
            for row in reader:
                yield self._message(reader.line_num, row)
        except csv.Error as error:
            raise self._error(reader.line_num, f"no CSV: {error}") from error

    def _message(self, number: int, row: Dict[str, Any]) -> Message:
        if self.text_key not in row:
            raise self._error(
                number,
                f"no key '{self.text_key}', but {_listed(list(row))}; name the one with the "
                f"message: --text-key",
            )
        text = row[self.text_key]
        if not isinstance(text, str):
            raise self._error(number, f"'{self.text_key}' must be text, got {json.dumps(text)}")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError as error:
            raise self._error(number, "half of a surrogate pair, which is no character") from error
        return Message(text, row.get(self.id_key))

    def _error(self, number: int, problem: str) -> ConfigError:
        name = "stdin" if self.name == STDIN else f"'{self.name}'"
        return ConfigError(f"{name}, line {number}: {problem}")


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names[:10])) or "none"
