"""Files of training data that are nearly right: valid ones, with something changed in them."""

from __future__ import annotations

import json
import random
from typing import Callable, List, Sequence

from benchmarks.reliability.fuzz.generated import KINDS, any_character

_NAMES = ["greet", "bye", "faq/parcel", "faq/shipping", "größe", "запрос", "意图", "a b", "🙂"]
_ODD_NAMES = [
    "yes", "'404'", '"on"', "a/b/c", "/a", "a/", " spaced ", "null", "404", "~", "[a]", "{a: b}",
    "!!str x", "&x y", "*x", "a: b", "#c", "x" * 500,
]  # fmt: skip
_ANNOTATED = [
    "to [Berlin](city)", "[LA](city:Los Angeles)", '[LA]{"entity": "city", "role": "to"}',
    '[here][{"entity": "city"}, {"entity": "place"}]', "[a](b)[c](d)", "[a](b:c:d)", "[a](b) [c]",
    '[a]{"entity": "b", "group": null}', '[a]{"entity": "b", "value": 5}', "![a](b)", "[[a]](b)",
    '[a]{"entity": ""}', '[a]{"entity": "b", "role": ""}', "[x](", "[](y)", "[a]()", "[a][]",
]  # fmt: skip
_ODD_ANNOTATIONS = [
    "[x](", "[](y)", "[a]()",
    '[a]{"entity": 5}', '[a]{"value": "b"}', '[a]{entity: "b"}', "[a]{}", "[a][]", "[a][{}]",
    '[a]{"entity": "b", "value": 1e999}', '[a]{"entity": "b", "group": null}', "[a](b:c:d)",
    '[a]{"entity": "b", "value": {"c": 1}}', "[[a]](b)", "\\[a\\](b)", "[a\\](b)", "![a](b)",
    '[a]{"entity": "b", "role": true}', '[a]{"entity": "b"}{"entity": "c"}', "[a](b) [c]",
    '[a]{"entity": "\\ud800"}', '[a]{"entity": ""}', '[a]{"entity": "b", "role": ""}',
]  # fmt: skip
_WORDS = ["where is my parcel", "hello", "${HOME}", "\\u00e9", "a # b", "- dash", "'quoted'",
          "yes", "123", "{", "}", "a: b", "tab\there", "end ", "\\n", "|", ">",
          "x" * 20000]  # fmt: skip


class Source(random.Random):
    """A source of random choices that now and then takes what is odd.

    Attributes:
        odd: How often, from 0; each file has a share of its own.
    """

    odd = 0.0

    def usual(self, usual: Sequence[str], odd: Sequence[str]) -> str:
        """Returns one of the usual texts, or an odd one."""
        return self.choice(odd if self.random() < self.odd else usual)


def _example(rng: Source) -> str:
    drawn = rng.random()
    if drawn < 0.45:
        return rng.choice(_WORDS[:3] + _WORDS)
    if drawn < 0.8:
        return rng.usual(_ANNOTATED, _ODD_ANNOTATIONS)
    name = rng.choice(["words", "right to left", "emoji", "combining marks", "any code point"])
    return KINDS[name][0](rng).replace("\n", " ")


def _lines(rng: Source, mark: str) -> str:
    examples = [_example(rng) for _ in range(rng.randint(0, 4))]
    lines = [f"    {rng.usual(['- ', '- ', '-'], [''])}{each}" for each in examples]
    return "\n".join([f"  examples: {mark}", *lines])


def _listed(rng: Source) -> str:
    lines = ["  examples:"]
    for _ in range(rng.randint(0, 3)):
        text = _example(rng)
        written = f"|\n      {text}"
        lines.append(f"  - text: {rng.usual([written, json.dumps(text)], [text, repr(text)])}")
        if rng.random() < 0.4:
            lines.append(f"    metadata: {rng.choice(['{a: 1}', 'x', '[1]', '2026-01-02', '~'])}")
    return "\n".join(lines)


def _block(rng: Source) -> str:
    kinds = ["intent"] * 8 + ["synonym", "regex", "lookup"]
    kind = rng.usual(kinds, ["entity", "Intent", "intent "])
    lines = [f"- {kind}: {rng.usual(_NAMES, _ODD_NAMES)}"]
    if rng.random() < rng.odd:
        lines.append(rng.choice(["  metadata: {a: 1}", "  metadata: x", "  use: 1", "  intent: b"]))
    drawn = rng.random()
    if drawn < 0.65:
        lines.append(_lines(rng, rng.usual(["|", "|", "|-", "|+"], [">", ">-"])))
    elif drawn < 0.95 and kind == "intent":
        lines.append(_listed(rng))
    elif rng.random() < rng.odd:
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


def generated_file(rng: Source) -> str:
    """Returns a file of Rasa's training data, perhaps a broken one."""
    rng.odd = rng.choice([0.0, 0.02, 0.1])
    version = ['version: "2.0"', "version: 3.1", 'version: "9"', "version: x", ""]
    parts = [
        rng.usual(['version: "3.1"'], version),
        rng.usual(["nlu:"], ["nlu: []", "nlu", "NLU:"]),
    ]
    parts = [each for each in parts if each]
    parts += [_block(rng) for _ in range(rng.randint(1, 5))]
    if rng.random() < 0.1:
        parts.append("responses:\n  utter_faq/parcel:\n  - text: on its way")
    text = "\n".join(parts) + "\n"
    for _ in range(rng.choice([0, 0, 0, 1, 2])):
        text = rng.choice(_CHANGES)(rng, text)
    return text
