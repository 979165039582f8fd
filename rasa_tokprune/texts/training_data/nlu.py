"""The examples of intents in a YAML file of Rasa's training data."""

from __future__ import annotations

import dataclasses
import json
import warnings
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.training_data.annotations import Entity, strip_entities
from rasa_tokprune.texts.training_data.yaml_file import Step, YamlFile

# The newest version of the format that Rasa 3 knows; a file of a newer one is not read.
_VERSION = (3, 1)
# A block of the list `nlu` has one of these, and nothing beside it but the rest.
_KINDS: Dict[str, Tuple[str, ...]] = {
    "intent": ("metadata", "examples"),
    "synonym": ("examples",),
    "regex": ("examples",),
    "lookup": ("examples",),
}
_STRIPPED = "\n\r "


@dataclasses.dataclass(frozen=True)
class Example:
    """One example of an intent.

    Attributes:
        text: The message, without annotations.
        intent: Its intent; of a retrieval intent the part before the slash.
        key: Its retrieval intent in full, `faq/shipping`; otherwise ''.
        entities: What is annotated in it.
        metadata: What the intent and the example say of themselves, by 'intent' and 'example'.
    """

    text: str
    intent: str
    key: str
    entities: Tuple[Entity, ...] = ()
    metadata: Dict[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def identity(self) -> str:
        """What two examples that count as one have in common: everything."""
        return json.dumps(_canonical(dataclasses.asdict(self)))


def is_nlu_yaml(path: Path) -> bool:
    """Returns whether a YAML file looks like training data of messages, as Rasa decides it."""
    try:
        # In another encoding it is training data all the same; who reads it says what is wrong.
        with path.open(encoding="utf-8", errors="surrogateescape") as file:
            return any(line.lstrip().startswith(("nlu:", "responses:")) for line in file)
    except (OSError, ValueError):
        return False


def is_nlu_json(path: Path) -> bool:
    """Returns whether a JSON file is training data of messages in Rasa's old format."""
    try:
        return '"rasa_nlu_data"' in path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return False


def read_nlu_yaml(path: Path) -> List[Example]:
    """Returns the examples of a file in order, with repetitions.

    Raises:
        ConfigError: If it cannot be read or is not as Rasa wants it; the line is named.
    """
    return [written.example for written in _read(YamlFile(path))]


def read_nlu_lines(path: Path) -> List[Tuple[Example, int]]:
    """Returns the same with the line, from 1, that each example stands in; see `read_nlu_yaml`."""
    file = YamlFile(path)
    return [(each.example, file.line(each.steps, below=each.below)) for each in _read(file)]


class _Written(NamedTuple):
    """An example, and the way to where it is written; see `YamlFile.error`."""

    example: Example
    steps: Tuple[Step, ...]
    below: int


def _read(file: YamlFile) -> List[_Written]:
    if not isinstance(file.content, dict):
        raise file.error((), "Rasa training data is a mapping with the key 'nlu'")
    if not _is_known_version(file):
        return []
    blocks = file.content.get("nlu") or []
    if not isinstance(blocks, list):
        raise file.error(("nlu",), "'nlu' must be a list of intents, each with 'examples'")
    return [
        written
        for number, block in enumerate(blocks)
        for written in _examples_of_block(file, number, block)
    ]


def _is_known_version(file: YamlFile) -> bool:
    given = file.content.get("version")
    if given is None:
        return True
    if not isinstance(given, str):
        raise file.error(("version",), f"'version' must be text, such as \"3.1\"; got {given!r}")
    parts = given.strip("\"'").split(".")
    if all(part.isdecimal() for part in parts) and tuple(map(int, parts)) > _VERSION:
        _warn(f"{file.place(('version',))}: version {given} is newer than 3.1; nothing is read")
        return False
    return True


def _examples_of_block(file: YamlFile, number: int, block: Any) -> Iterator[_Written]:
    """Yields the examples of one block of the list `nlu`; none if it is not an intent's."""
    here: Tuple[Step, ...] = ("nlu", number)
    if not isinstance(block, dict):
        raise file.error(here, f"expected a mapping such as `intent: greet`, got {block!r}")
    kind = next((kind for kind in _KINDS if kind in block), None)
    if kind is None:
        raise file.error(here, f"expected one of the keys {', '.join(_KINDS)}; got {_keys(block)}")
    unknown = [key for key in block if key not in (kind, *_KINDS[kind])]
    if unknown:
        raise file.error((*here, unknown[0]), f"'{unknown[0]}' is no key of an {kind}")
    if not isinstance(block[kind], str) or not block[kind]:
        raise file.error(
            (*here, kind),
            f"the name of the {kind} must be text, got {block[kind]!r}; put it in quotes",
        )
    if kind != "intent":
        return
    yield from _examples_of_intent(file, here, block)


def _examples_of_intent(
    file: YamlFile, here: Tuple[Step, ...], block: Dict[str, Any]
) -> Iterator[_Written]:
    full = block["intent"]
    intent, _, key = full.partition("/")
    if "/" in key:
        raise file.error((*here, "intent"), f"intent '{full}' has more than one '/'")
    about = block.get("metadata")
    shared = {} if about is None else {"intent": about}
    for steps, below, annotated, own in _annotated(file, (*here, "examples"), block):
        try:
            text, entities = strip_entities(annotated)
        except ConfigError as error:
            raise file.error(steps, str(error), below=below) from error
        metadata = shared if own is None else {**shared, "example": own}
        example = Example(text, intent.strip(), full if key else "", tuple(entities), metadata)
        yield _Written(example, steps, below)


def _annotated(
    file: YamlFile, steps: Tuple[Step, ...], block: Dict[str, Any]
) -> Iterator[Tuple[Tuple[Step, ...], int, str, Any]]:
    """Yields place, line below it, text and metadata of each example."""
    examples = block.get("examples")
    if examples is None:  # nothing below the key: as Rasa, which warns and goes on
        if "examples" in block:
            _warn(f"{file.place(steps)}: no examples; the block is left out")
        return
    if isinstance(examples, str):
        for number, line in enumerate(examples.splitlines(), start=1):
            if line.startswith("-"):
                yield steps, number, line[1:].strip(_STRIPPED), None
            else:
                _warn(f"{file.place(steps, below=number)}: no '-' in front of {line!r}: left out")
        return
    if not isinstance(examples, list):
        raise file.error(steps, "'examples' must be lines that begin with '-' below `|`, or a list")
    for number, example in enumerate(examples):
        own = (*steps, number)
        if not isinstance(example, dict):
            raise file.error(own, f"expected `text: ...`, got {example!r}; or put `|` in front")
        unknown = [key for key in example if key not in ("text", "metadata")]
        if unknown:
            raise file.error((*own, unknown[0]), f"'{unknown[0]}' is no key of an example")
        if not example:
            continue
        text = example.get("text", "")
        if not isinstance(text, str):
            raise file.error((*own, "text"), f"'text' must be text, got {text!r}; put it in quotes")
        yield own, 0, text.strip(_STRIPPED), example.get("metadata")


def _keys(block: Dict[Any, Any]) -> str:
    return ", ".join(map(repr, block)) or "none"


def _warn(message: str) -> None:
    warnings.warn(message, UserWarning, stacklevel=2)


def without_repetitions(examples: Sequence[Example]) -> List[Example]:
    """Returns examples in order, each once."""
    found: Dict[str, Example] = {}
    for example in examples:
        found.setdefault(example.identity, example)
    return list(found.values())


def _canonical(value: Any) -> Any:
    """Returns a value in which order of keys and types of scalars make no difference."""
    if isinstance(value, dict):
        return sorted((str(key), _canonical(each)) for key, each in value.items())
    if isinstance(value, (list, tuple)):
        return [_canonical(each) for each in value]
    return str(value)
