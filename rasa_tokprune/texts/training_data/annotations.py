r"""Entities annotated in an example: `[text](entity)`, `[text]{"entity": ...}`, `[text][{...}]`."""

from __future__ import annotations

import json
import re
from typing import Any, Dict, List, Tuple

from rasa_tokprune.errors import ConfigError

# Both as in Rasa (rasa/shared/nlu/training_data/entities_parser.py).
_ANNOTATION = re.compile(
    r"\[(?P<text>[^\]]+?)\]"
    r"(\((?P<entity>[^:)]+?)(?:\:(?P<value>[^)]+))?\)|\{(?P<one>[^}]+?)\}|\[(?P<several>.*?)\])"
)
_ONE = re.compile(r"{(?P<one>[^}]+?)\}")
# What a value may be, by its key.
_TYPES: Dict[str, Tuple[type, ...]] = {
    "entity": (str,),
    "role": (str,),
    "group": (str,),
    "value": (str, int, float),
}

# Where in the plain text, and what of it was said.
Entity = Dict[str, Any]


def strip_entities(example: str) -> Tuple[str, List[Entity]]:
    """Returns an example's plain text, and its entities in order.

    Raises:
        ConfigError: If an annotation is not as expected.
    """
    entities: List[Entity] = []
    removed = 0
    for match in _ANNOTATION.finditer(example):
        text = match["text"]
        start = match.start() - removed
        removed += len(match[0]) - len(text)
        span = {"start": start, "end": start + len(text)}
        if match["entity"]:
            entities.append({**span, "value": match["value"] or text, "entity": match["entity"]})
        elif match["one"]:
            entities.append({**span, **_attributes(match["one"], text)})
        else:
            for each in _ONE.finditer(match["several"]):
                entities.append({**span, **_attributes(each["one"], text)})
    return _ANNOTATION.sub(lambda match: match["text"], example), entities


def _attributes(content: str, text: str) -> Entity:
    """Returns what stands between an annotation's braces."""
    try:
        given = json.loads(f"{{{content}}}")
    except ValueError as error:
        raise ConfigError(f"the annotation '{{{content}}}' is not JSON: {error}") from error
    if "entity" not in given:
        raise ConfigError(f"the annotation '{{{content}}}' lacks the key 'entity'")
    for key, types in _TYPES.items():
        if key in given and (isinstance(given[key], bool) or not isinstance(given[key], types)):
            expected = "text or a number" if key == "value" else "text"
            raise ConfigError(f"the annotation '{{{content}}}': '{key}' must be {expected}")
    found = {"value": given.get("value", text), "entity": given["entity"]}
    return {**found, **{key: given[key] for key in ("role", "group") if given.get(key)}}
