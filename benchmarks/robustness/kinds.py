"""Kinds of message: the same content, typed or phrased by somebody else."""

from __future__ import annotations

import re
import zlib
from typing import Callable, Dict, Optional, Sequence, Tuple

from rasa_tokprune.texts.disturb import with_own_slips

# First names that are common in groups of people; two each, one of either sex, after the names
# of audit studies (Bertrand and Mullainathan, 2004) and of their kind.
NAMES: Dict[str, Tuple[str, str]] = {
    "English": ("Emily", "Greg"),
    "African American": ("Lakisha", "Jamal"),
    "Arabic": ("Fatima", "Mohammed"),
    "Chinese": ("Xiuying", "Wei"),
    "Indian": ("Priya", "Rahul"),
    "Polish": ("Agnieszka", "Piotr"),
    "Spanish": ("Guadalupe", "Jorge"),
    "Yoruba": ("Folasade", "Oluwaseun"),
}
_N_SLIPS = 2
_Rules = Sequence[Tuple[str, str]]
_INFORMAL: _Rules = (
    (r"\bgoing to\b", "gonna"),
    (r"\bwant to\b", "wanna"),
    (r"\b(?:have got to|have to|got to)\b", "gotta"),
    (r"\b(?:is not|isn't|am not|are not|aren't|'m not)\b", "ain't"),
    (r"\b(?:do not|don't) know\b", "dunno"),
    (r"\b(?:let me|give me)\b", "lemme"),
    (r"\byou\b", "ya"),
    (r"\bthem\b", "em"),
    (r"\bbecause\b", "cuz"),
    (r"(\w{2,})ing\b", r"\1in"),
)
_LEARNER: _Rules = (
    (r"\b(?:a|an|the)\s+", ""),
    (r"\b(?:is|are|am)\s+", ""),
    (r"\bdoes\b", "do"),
    (r"\bwas\b", "is"),
    (r"\bmany\b", "much"),
    (r"\b(\w{3,})ed\b", r"\1"),
    (r"'(?:s|m|re|ve)\b", ""),
)
_NEGATED: _Rules = (
    (r"\bi want\b", "i do not want"),
    (r"\bi need\b", "i do not need"),
    (r"\bi can\b", "i can not"),
    (r"\bi would like\b", "i would not like"),
    (r"\b(is|are|was|were|has|have|did|does|do|should|will|could|can)\b", r"\1 not"),
    (r"^(please )?(\w+)", r"\1do not \2"),
)

Change = Callable[[str], Optional[str]]


def kinds() -> Dict[str, Change]:
    """Returns what makes each kind of message of a plain one; None: it would stay as it is.

    All but 'negated' keep the intent.
    """
    found: Dict[str, Change] = {
        "as written": lambda text: text,
        "typing slips": lambda text: with_own_slips(text, _N_SLIPS),
        "lower case, no punctuation": lambda text: _changed(text, _bare(text)),
        "capitals": lambda text: _changed(text, text.upper()),
        "informal": lambda text: _changed(text, _rewrite(text, _INFORMAL)),
        "learner's grammar": lambda text: _changed(text, _rewrite(text, _LEARNER)),
        "polite": lambda text: f"Hello, could you please help me? {text} Thank you very much!",
    }
    for group, names in NAMES.items():
        found[f"name: {group}"] = _introduced(names)
    found["negated"] = negated
    return found


def negated(text: str) -> Optional[str]:
    """Returns a text that says the opposite of one part; None if it is negated already."""
    if re.search(r"\b(?:not|no|never|none|cannot)\b|n't\b", text, re.IGNORECASE):
        return None
    for pattern, replacement in _NEGATED:
        changed = re.sub(pattern, replacement, text, count=1, flags=re.IGNORECASE)
        if changed != text:
            return changed
    return None


def _bare(text: str) -> str:
    return " ".join(re.sub(r"[^\w\s']", " ", text.lower()).split())


def _rewrite(text: str, rules: _Rules) -> str:
    for pattern, replacement in rules:
        text = re.sub(pattern, replacement, text, flags=re.IGNORECASE)
    return " ".join(text.split())


def _changed(before: str, after: str) -> Optional[str]:
    return after if after.strip() and after != before else None


def _introduced(names: Tuple[str, str]) -> Change:
    def change(text: str) -> str:
        name = names[zlib.crc32(text.encode()) % 2]
        return f"Hi, my name is {name}. {text}"

    return change
