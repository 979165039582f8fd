"""A bot's domain, as far as intents and responses go."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

from rasa_tokprune.commands.doctor.findings import Finding
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.training_data.yaml_file import YamlFile

_YAML = (".yml", ".yaml")


@dataclasses.dataclass(frozen=True)
class Domain:
    """Intents and responses, each with file and line.

    Attributes:
        intents: By name.
        responses: By action, `utter_faq/ask_name`; those that stand in training data too.
    """

    intents: Dict[str, Tuple[str, int]] = dataclasses.field(default_factory=dict)
    responses: Dict[str, Tuple[str, int]] = dataclasses.field(default_factory=dict)


def read_domain(path: Path, training_data: Sequence[Path]) -> Tuple[Domain, List[Finding]]:
    """Returns the domain, and findings for what of it cannot be read.

    Args:
        path: A file, or a folder of files.
        training_data: Files that may hold responses too.
    """
    domain, problems = Domain(), []
    own = _files(path)
    for file in [*own, *training_data]:
        if file not in own and "\nresponses:" not in f"\n{_text(file)}":
            continue
        try:
            _read(YamlFile(file), domain)
        except ConfigError as error:
            if file in own:  # of training data it is said elsewhere
                problems.append(
                    Finding("domain-unreadable", str(error), "Mend the file", str(file))
                )
    return domain, problems


def _files(path: Path) -> List[Path]:
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.rglob("*") if each.suffix in _YAML and each.is_file())


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return ""


def _read(file: YamlFile, domain: Domain) -> None:
    if not isinstance(file.content, dict):
        raise file.error((), "a domain is a mapping with keys such as 'intents'")
    intents = file.content.get("intents") or []
    if not isinstance(intents, list):
        raise file.error(("intents",), "'intents' must be a list")
    for number, item in enumerate(intents):
        name = _name(item)
        if not isinstance(name, str):
            raise file.error(
                ("intents", number), f"the name of an intent must be text, got {name!r}; quote it"
            )
        domain.intents.setdefault(name, (str(file.path), file.line(("intents", number))))
    responses = file.content.get("responses") or {}
    if not isinstance(responses, dict):
        raise file.error(("responses",), "'responses' must be names with lists of texts")
    for action in responses:
        place = (str(file.path), file.line(("responses", str(action))))
        domain.responses.setdefault(str(action), place)


def _name(item: Any) -> Any:
    """Returns an intent's name; `inform: {use_entities: []}` has keys of its own."""
    return next(iter(item), None) if isinstance(item, dict) else item
