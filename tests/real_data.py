"""Real sentences for the slow tests: the shared data where it is there, else the example bot."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import List

ROOT = Path(__file__).resolve().parent.parent
# Real intent tasks, see CONTRIBUTING.md.
SHARED_DATA = Path(os.environ.get("RASA_TOKPRUNE_TEST_DATA") or ROOT.parent / "shared" / "data")
_EXAMPLE = re.compile(r"^\s+- (.+)$", re.MULTILINE)


def real_sentences(count: int) -> List[str]:
    """Returns user messages and longer text, from one word to beyond 256 tokens."""
    folder = SHARED_DATA if SHARED_DATA.is_dir() else ROOT / "example_bot" / "data"
    examples = [
        text
        for path in sorted(folder.rglob("*.yml"))
        for text in _EXAMPLE.findall(path.read_text(encoding="utf-8"))[:200]
    ]
    step = max(1, len(examples) // (count - 4))
    sentences = ["hi", *examples[::step]][: count - 3]
    long = [" ".join(examples[start : start + 60]) for start in (0, 60, 120)]
    return sentences + long
