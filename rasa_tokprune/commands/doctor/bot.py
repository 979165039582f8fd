"""A bot's files, read without Rasa; what cannot be read becomes a finding."""

from __future__ import annotations

import dataclasses
import os
import warnings
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

from rasa_tokprune.commands.doctor.domain import Domain, read_domain
from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.training_data.nlu import (
    Example,
    is_nlu_json,
    is_nlu_yaml,
    read_nlu_lines,
)
from rasa_tokprune.texts.training_data.yaml_file import YamlFile

CONFIG, DATA = "config.yml", "data"
_YAML = (".yml", ".yaml")
_BLANK_LINE = "in front of '':"


@dataclasses.dataclass(frozen=True)
class Component:
    """An item of the pipeline.

    Attributes:
        name: As written.
        config: Its other keys.
        line: Where it begins, from 1.
    """

    name: str
    config: Mapping[str, Any]
    line: int

    @property
    def short(self) -> str:
        """Its name without the module."""
        return self.name.rpartition(".")[2]


@dataclasses.dataclass(frozen=True)
class Message:
    """An example and where it stands."""

    example: Example
    file: str
    line: int


@dataclasses.dataclass(frozen=True)
class Bot:
    """What there is of a bot; paths are as they are shown.

    Attributes:
        config: Its configuration's file; None if there is none.
        settings: What that says, without the pipeline.
        pipeline: Items of the pipeline that have a name.
        domain: None if there is none.
        messages: All examples with an intent, repeated ones too.
        n_files: Files that hold examples.
        files: All YAML files of its training data, stories and rules too.
        problems: What could not be read.
    """

    config: Optional[str] = None
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    pipeline: Tuple[Component, ...] = ()
    domain: Optional[Domain] = None
    messages: Tuple[Message, ...] = ()
    n_files: int = 0
    files: Tuple[Path, ...] = ()
    problems: Tuple[Finding, ...] = ()

    def named(self, *short: str) -> List[Component]:
        """Returns the pipeline's items of some short names."""
        return [each for each in self.pipeline if each.short in short]


def read_bot(config: Optional[Path], domain: Optional[Path], data: Sequence[Path]) -> Bot:
    """Returns a bot, with findings for what of it cannot be read.

    Args:
        config: Its configuration.
        domain: Its domain, a file or a folder.
        data: Its training data, files and folders.
    """
    problems: List[Finding] = []
    settings, pipeline = ({}, ()) if config is None else _read_config(config, problems)
    files = list(_training_files(data, problems))
    messages: List[Message] = []
    for file in filter(is_nlu_yaml, files):
        messages += _messages(file, problems)
    found = None if domain is None else read_domain(domain, list(filter(is_nlu_yaml, files)))
    return Bot(
        None if config is None else str(config),
        settings,
        pipeline,
        None if found is None else found[0],
        tuple(messages),
        len({each.file for each in messages}),
        tuple(files),
        (*problems, *(found[1] if found is not None else ())),
    )


def _read_config(
    path: Path, problems: List[Finding]
) -> Tuple[Dict[str, Any], Tuple[Component, ...]]:
    try:
        file = YamlFile(path)
    except ConfigError as error:
        problems.append(
            Finding(
                "config-unreadable", str(error), "Mend the file; Rasa reads it as YAML", str(path)
            )
        )
        return {}, ()
    if not isinstance(file.content, dict):
        problems.append(
            Finding(
                "config-invalid",
                f"the configuration is a {type(file.content).__name__}, not keys with values",
                "Begin it with `recipe: default.v1` and `pipeline:`",
                str(path),
            )
        )
        return {}, ()
    settings = {key: value for key, value in file.content.items() if key != "pipeline"}
    return settings, tuple(_components(file, file.content.get("pipeline"), problems))


def _components(file: YamlFile, items: Any, problems: List[Finding]) -> Iterator[Component]:
    """Yields the items of a pipeline that have a name."""
    if items is None or items == []:
        items = []
    elif not isinstance(items, list):
        problems.append(
            Finding(
                "config-invalid",
                f"pipeline is {items!r}, not a list of components",
                "Write a list, each item with a `name`",
                str(file.path),
                file.line(("pipeline",)),
            )
        )
        items = []
    for number, item in enumerate(items):
        line = file.line(("pipeline", number))
        keys = {"name": item} if isinstance(item, str) else item
        if not isinstance(keys, dict) or not isinstance(keys.get("name"), str):
            problems.append(
                Finding(
                    "config-invalid",
                    f"item {number + 1} of the pipeline has no name: {item!r}",
                    "Write `- name: ` and the component, its keys below",
                    str(file.path),
                    line,
                )
            )
            continue
        config = {key: value for key, value in keys.items() if key != "name"}
        yield Component(keys["name"], config, line)


def _training_files(data: Sequence[Path], problems: List[Finding]) -> Iterator[Path]:
    """Yields the YAML files of the training data, each once, in order of their names."""
    found: Dict[Path, None] = {}
    for path in data:
        if path.is_dir():
            for folder, _, names in os.walk(path, followlinks=True, onerror=_denied(problems)):
                found.update(dict.fromkeys(Path(folder) / name for name in names))
        else:
            found[path] = None
    for path in sorted(found):
        if path.suffix in _YAML:
            yield path
        elif path.suffix == ".json" and is_nlu_json(path):
            problems.append(
                Finding(
                    "data-json",
                    "training data in JSON, which is not looked at",
                    "To have it checked, make YAML of it: rasa data convert nlu --format yaml",
                    str(path),
                )
            )


def _denied(problems: List[Finding]) -> Any:
    """Returns what keeps the folders that may not be listed."""

    def keep(error: OSError) -> None:
        problems.append(
            Finding(
                "data-unreadable",
                f"'{error.filename}': {error.strerror}",
                "Let the user who trains the bot read it",
                str(error.filename),
            )
        )

    return keep


def _messages(file: Path, problems: List[Finding]) -> List[Message]:
    """Returns the examples of a file; what its reader refuses or leaves out becomes findings."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            found = read_nlu_lines(file)
        except ConfigError as error:
            problems.append(
                Finding(
                    "data-unreadable", str(error), "Mend the line; Rasa refuses it too", str(file)
                )
            )
            found = []
    for warning in caught:
        if _BLANK_LINE in str(warning.message):  # which says nothing and costs nothing
            continue
        problems.append(
            Finding(
                "data-skipped",
                str(warning.message),
                "Mend the line, or Rasa leaves it out too",
                str(file),
            )
        )
    return [Message(example, str(file), line) for example, line in found if example.intent]
