"""A small bot whose messages the tiny checkpoints know, written as files."""

from __future__ import annotations

from pathlib import Path
from typing import Mapping, Sequence

from ruamel.yaml import YAML

from tests.real_data import ROOT

BOT = ROOT / "tests" / "bots" / "tiny"

SHIPPING = ["where is my parcel", "when will my parcel arrive", "is the parcel on its way"]
REFUND = ["I want my money back", "refund the order please", "can I get a refund"]
HELLO = ["hello there", "hello hello", "good morning to you"]
TRAIN = {"shipping": SHIPPING, "refund": REFUND, "hello": HELLO}
OOS = ["sing me a song", "who won the cup"]


def write_nlu(path: Path, intents: Mapping[str, Sequence[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nlu = [
        {"intent": intent, "examples": "".join(f"- {text}\n" for text in texts)}
        for intent, texts in intents.items()
    ]
    YAML(typ="safe").dump({"version": "3.1", "nlu": nlu}, path)
    return path
