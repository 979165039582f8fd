"""Messages that nobody would think of: any Unicode, any length, drawn from a seed."""

from __future__ import annotations

import random
from typing import Callable, Dict, Iterator, List, Tuple

WORDS = ["where", "is", "my", "parcel", "order", "refund", "the", "cancel", "ship", "to", "cost",
         "hello", "thanks", "12345", "human"]  # fmt: skip
_PLANES = [(0x20, 0x7E), (0xA0, 0x2FF), (0x300, 0xD7FF), (0xE000, 0xFFFF), (0x10000, 0x10FFFF)]
_COMBINING = [chr(code) for code in (*range(0x300, 0x370), 0x20D0, 0xFE20, 0x1AB0, 0x93F)]
_RIGHT_TO_LEFT = "שלום עליכם أين طلبي من فضلك ܫܠܡܐ ހެލޯ"
_DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f"
_EMOJI = ["👩", "👨", "🏳️", "🏽", "❤️", "🔥", "👍", "🇨", "🇭", "⃣", "🧑"]
_BLANKS = " \t\n\r\x0b\x0c\x85\xa0\u1680\u2000\u2028\u2029\u3000\u200b\ufeff"
_MARKS = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "<s>", "</s>", "<pad>", "##a", "\u2581"]
_CODE = ["/greet", '/faq{"a": 1}', '{"a": [', "${HOME}", "[a](b:c)", '[a]{"entity": "b"}',
         "\\u00e9", "<script>", "'; --", "%s%n", "\\", '"', "- ", "null", "1e999"]  # fmt: skip
LONGEST = 1_000_000
# Of so many messages one is up to LONGEST characters long.
_RARELY = 2000

Kind = Callable[[random.Random], str]


def source(seed: int) -> random.Random:
    """Returns a source of random choices, the same for the same seed."""
    return random.Random(seed)  # noqa: S311


def any_character(rng: random.Random) -> str:
    """Returns a code point of any plane that is no surrogate; small ones as often as large ones."""
    return chr(rng.randint(*rng.choice(_PLANES)))


def _words(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(1, 20)))


def _unicode(rng: random.Random) -> str:
    return "".join(any_character(rng) for _ in range(rng.randint(0, 60)))


def _controls(rng: random.Random) -> str:
    codes = [*range(32), *range(127, 160)]
    return "".join(map(chr, rng.choices(codes, k=rng.randint(1, 30))))


def _combining(rng: random.Random) -> str:
    letters = [rng.choice("aeiou ") + "".join(rng.choices(_COMBINING, k=rng.randint(0, 30)))]
    return "".join(letters * rng.randint(1, 6))


def _right_to_left(rng: random.Random) -> str:
    characters = _RIGHT_TO_LEFT + _DIRECTIONS + "abc 123"
    return "".join(rng.choices(characters, k=rng.randint(1, 50)))


def _emoji(rng: random.Random) -> str:
    return rng.choice(["", "\u200d", "\ufe0f"]).join(rng.choices(_EMOJI, k=rng.randint(1, 12)))


def _blanks(rng: random.Random) -> str:
    return "".join(rng.choices(_BLANKS, k=rng.randint(0, 20)))


def _marks(rng: random.Random) -> str:
    return rng.choice(["", " "]).join(rng.choices([*_MARKS, *WORDS[:3]], k=rng.randint(1, 12)))


def _code(rng: random.Random) -> str:
    return rng.choice(["", " "]).join(rng.choices([*_CODE, *WORDS[:2]], k=rng.randint(1, 5)))


def _lone_surrogates(rng: random.Random) -> str:
    # Never side by side: two of them are one character to JSON.
    return rng.choice(["a", " "]).join(chr(rng.randint(0xD800, 0xDFFF)) for _ in range(8))


def _one_word(rng: random.Random) -> str:
    return any_character(rng) * int(10 ** rng.uniform(0, 3.5))


def _long(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, k=rng.randint(100, 1500)))


def _mixed(rng: random.Random) -> str:
    kinds = rng.choices([_words, _unicode, _controls, _emoji, _blanks, _combining, _code], k=4)
    return "".join(kind(rng) for kind in kinds)


KINDS: Dict[str, Tuple[Kind, float]] = {
    "words": (_words, 3), "any code point": (_unicode, 4), "control characters": (_controls, 2),
    "combining marks": (_combining, 2), "right to left": (_right_to_left, 2), "emoji": (_emoji, 2),
    "blanks": (_blanks, 1), "special tokens": (_marks, 2), "markup, code, payloads": (_code, 2),
    "lone surrogates": (_lone_surrogates, 1), "one long word": (_one_word, 0.5),
    "long": (_long, 0.3), "a mixture": (_mixed, 4),
}  # fmt: skip
HUGE = "up to a million characters"


def generated(seed: int, n: int) -> Iterator[Tuple[str, str]]:
    """Yields kind and text of n messages, the same for the same seed."""
    rng = source(seed)
    names: List[str] = list(KINDS)
    weights = [weight for _, weight in KINDS.values()]
    for _ in range(n):
        (name,) = rng.choices(names, weights)
        text = KINDS[name][0](rng)
        if rng.randrange(_RARELY) == 0:
            size = int(10 ** rng.uniform(4, 6))
            name, text = HUGE, ((text or " ") * (size // (len(text) or 1) + 1))[:LONGEST]
        yield name, text
