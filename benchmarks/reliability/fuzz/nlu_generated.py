"""Files of training data that are nearly right: valid ones, with something changed in them."""

from __future__ import annotations

import random
from typing import Callable, List

from benchmarks.reliability.fuzz.generated import KINDS, any_character

_NAMES = [
    "greet", "bye", "faq/parcel", "faq/shipping", "größe", "запрос", "意图", "a b", "a.b", "greet",
    "yes", "'404'", '"on"', "a/b/c", "/a", "a/", " spaced ", "null", "404", "~", "[a]", "{a: b}",
    "!!str x", "&x y", "*x", "a: b", "#c", "🙂", "x" * 500,
]  # fmt: skip
_ANNOTATED = [
    "to [Berlin](city)", "[LA](city:Los Angeles)", '[LA]{"entity": "city", "role": "to"}',
    '[here][{"entity": "city"}, {"entity": "place"}]', "[a](b)[c](d)", "[x](", "[](y)", "[a]()",
    '[a]{"entity": 5}', '[a]{"value": "b"}', '[a]{entity: "b"}', "[a]{}", "[a][]", "[a][{}]",
    '[a]{"entity": "b", "value": 1e999}', '[a]{"entity": "b", "group": null}', "[a](b:c:d)",
    '[a]{"entity": "b", "value": {"c": 1}}', "[[a]](b)", "\\[a\\](b)", "[a\\](b)", "![a](b)",
    '[a]{"entity": "b", "role": true}', '[a]{"entity": "b"}{"entity": "c"}', "[a](b) [c]",
    '[a]{"entity": "\\ud800"}', '[a]{"entity": ""}', '[a]{"entity": "b", "role": ""}',
]  # fmt: skip
_WORDS = ["where is my parcel", "hello", "${HOME}", "\\u00e9", "a # b", "- dash", "'quoted'",
          "yes", "123", "{", "}", "a: b", "tab\there", "end ", "\\n", "|", ">",
          "x" * 20000]  # fmt: skip


def _example(rng: random.Random) -> str:
    drawn = rng.random()
    if drawn < 0.45:
        return rng.choice(_WORDS[:3] + _WORDS)
    if drawn < 0.8:
        return rng.choice(_ANNOTATED)
    name = rng.choice(["words", "right to left", "emoji", "combining marks", "any code point"])
    return KINDS[name][0](rng).replace("\n", " ")


def _lines(rng: random.Random, mark: str) -> str:
    examples = [_example(rng) for _ in range(rng.randint(0, 4))]
    lines = [f"    {rng.choice(['- ', '- ', '- ', '-', ''])}{each}" for each in examples]
    return "\n".join([f"  examples: {mark}", *lines])


def _listed(rng: random.Random) -> str:
    lines = ["  examples:"]
    for _ in range(rng.randint(0, 3)):
        text = _example(rng)
        lines.append(f"  - text: {rng.choice([text, repr(text), '|' + chr(10) + '      ' + text])}")
        if rng.random() < 0.4:
            lines.append(f"    metadata: {rng.choice(['{a: 1}', 'x', '[1]', '2026-01-02', '~'])}")
    return "\n".join(lines)


def _block(rng: random.Random) -> str:
    others = ["synonym", "regex", "lookup", "entity", "Intent", "intent "]
    kind = rng.choice(["intent"] * 8 + others)
    lines = [f"- {kind}: {rng.choice(_NAMES)}"]
    if rng.random() < 0.1:
        lines.append(rng.choice(["  metadata: {a: 1}", "  metadata: x", "  use: 1", "  intent: b"]))
    drawn = rng.random()
    if drawn < 0.65:
        lines.append(_lines(rng, rng.choice(["|", "|", "|", "|-", ">", "|+"])))
    elif drawn < 0.9:
        lines.append(_listed(rng))
    elif drawn < 0.95:
        lines.append(f"  examples: {rng.choice(['~', '3', '[]', '{}', 'text', '- a', '[a, b]'])}")
    return "\n".join(lines)


def _swap(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def _indent(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    number = rng.randrange(len(lines))
    lines[number] = rng.choice([" ", "  ", "\t"]) + lines[number]
    return "\n".join(lines)


def _insert(rng: random.Random, text: str) -> str:
    place = rng.randint(0, len(text))
    added = rng.choice([any_character(rng), *":-#|>&*!%@`'\"{}[],?\\\t\r\x00\x85\u2028\ufeff"])
    return text[:place] + added + text[place:]


def _cut(rng: random.Random, text: str) -> str:
    return text[: rng.randint(0, len(text))]


def _remove(rng: random.Random, text: str) -> str:
    lines = text.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def _windows(rng: random.Random, text: str) -> str:
    return text.replace("\n", "\r\n")


_CHANGES: List[Callable[[random.Random, str], str]] = [
    _swap, _indent, _insert, _insert, _cut, _remove, _windows,
]  # fmt: skip


def generated_file(rng: random.Random) -> str:
    """Returns a file of Rasa's training data, perhaps a broken one."""
    version = rng.choice(['version: "3.1"', 'version: "3.1"', 'version: "2.0"', "version: 3.1",
                          'version: "9"', "version: x", ""])  # fmt: skip
    parts = [version, rng.choice(["nlu:", "nlu:", "nlu:", "nlu: []", "nlu", "NLU:"])]
    parts = [each for each in parts if each]
    parts += [_block(rng) for _ in range(rng.randint(0, 5))]
    if rng.random() < 0.1:
        parts.append("responses:\n  utter_faq/parcel:\n  - text: on its way")
    text = "\n".join(parts) + "\n"
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        text = rng.choice(_CHANGES)(rng, text)
    return text
