"""A YAML file as Rasa reads it, and the lines its values stand on."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any, Sequence, Union

from ruamel.yaml import YAML, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from rasa_tokprune.errors import ConfigError, os_error_line

# A key of a mapping or a number of a sequence; several lead to a value.
Step = Union[str, int]
_LONGEST_PROBLEM = 200


class YamlFile:
    """A YAML file's content.

    Attributes:
        path: Where it is.
        content: Mappings, sequences and scalars.
    """

    def __init__(self, path: Path) -> None:
        """Reads a file.

        Raises:
            ConfigError: If it cannot be read or is not YAML; the line is named.
        """
        self.path = path
        self._text = _read(path)
        try:
            self.content: Any = _parser().load(self._text) or {}
        except (YAMLError, ValueError) as error:  # a date that is none
            mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
            line = f", line {mark.line + 1}" if mark is not None else ""
            # Of a duplicate key it is a paragraph of advice.
            problem = str(getattr(error, "problem", None) or error).strip().splitlines()[0]
            # It may quote a value, of any length.
            if len(problem) > _LONGEST_PROBLEM:
                problem = f"{problem[:_LONGEST_PROBLEM]} ..."
            raise ConfigError(f"'{path}'{line} is not YAML: {problem}") from error

    def error(self, steps: Sequence[Step], message: str, *, below: int = 0) -> ConfigError:
        """Returns an error that names file and line.

        Args:
            steps: The way to the value that is wrong.
            message: What is wrong with it, what was expected.
            below: So many lines of a text that begins there with `|`.
        """
        return ConfigError(f"{self.place(steps, below=below)}: {message}")

    def place(self, steps: Sequence[Step], *, below: int = 0) -> str:
        """Returns file and line of a value; see `error`."""
        return f"'{self.path}', line {self.line(steps, below=below)}"

    def line(self, steps: Sequence[Step], *, below: int = 0) -> int:
        """Returns the line of a value, from 1; see `error`."""
        node = self._root
        line = 0 if node is None else node.start_mark.line
        for step in steps:
            key, node = _child(node, step)
            if node is None:
                break
            # A mapping or a sequence begins on the line below its key.
            line = node.start_mark.line if key is None else key.start_mark.line
        if isinstance(node, ScalarNode) and node.style == "|":
            line = node.start_mark.line + below
        return int(line) + 1

    @functools.cached_property
    def _root(self) -> Any:
        """The file's nodes, which know their lines; read once, and only if one is asked for."""
        return _parser().compose(self._text)


def _child(node: Any, step: Step) -> Any:
    """Returns key node, if there is one, and node of a value in another; (None, None) if none."""
    if isinstance(node, MappingNode):
        return next(((key, value) for key, value in node.value if key.value == step), (None, None))
    if isinstance(node, SequenceNode) and isinstance(step, int):
        return None, node.value[step]
    return None, None


def _parser() -> YAML:
    # The same parser on every machine: the other one is there where a C library is.
    return YAML(typ="safe", pure=True)


def _read(path: Path) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(os_error_line(error)) from error
    except ValueError as error:
        raise ConfigError(
            f"'{path}' is not a text file in UTF-8: {error}; save it as UTF-8"
        ) from error
    if not text.isascii():
        return text
    # As Rasa does: in a file without any other sign, \uXXXX stands for one.
    try:
        escaped = text.encode().decode("raw_unicode_escape")
        return escaped.encode("utf-16", "surrogatepass").decode("utf-16")
    except ValueError as error:
        raise ConfigError(f"'{path}' holds a wrong \\u escape: {error}") from error
