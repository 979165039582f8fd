"""Writes a decision into a Rasa message; tells payloads, which need none."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Iterator, List, Optional, Sequence, Tuple

import rasa.shared.utils.io
from rasa.engine.graph import GraphSchema
from rasa.shared.constants import DEFAULT_NLU_FALLBACK_INTENT_NAME, INTENT_MESSAGE_PREFIX
from rasa.shared.nlu.constants import INTENT, INTENT_NAME_KEY, PREDICTED_CONFIDENCE_KEY
from rasa.shared.nlu.training_data.message import Message

from rasa_tokprune.errors import StorageError
from rasa_tokprune.fewshot import Messages, PrototypeClassifier
from rasa_tokprune.fewshot.calibration.confidence import OPERATING_CONFIDENCE

# Intent and confidence.
Ranked = Tuple[str, float]

INTENT_RANKING_KEY = "intent_ranking"
_INTENTS_FILE = "intents.json"
# As Rasa reads it: what stands before a confidence or entities.
_PAYLOAD_NAME = re.compile(r"/([^{@]+)")


def rank(
    prototypes: PrototypeClassifier, messages: Messages, length: Optional[int]
) -> Iterator[List[Ranked]]:
    """Yields the ranking of each message, best first; none of one without content."""
    has_content = messages.embeddings.any(axis=1).tolist()
    for ranking, has in zip(prototypes.rankings(messages, length), has_content):
        yield ranking if has else []


def is_payload(text: Optional[str], intents: Sequence[str]) -> bool:
    """Returns whether a message names one of some intents itself, as a button's payload does.

    Rasa answers `/intent{...}` behind the pipeline, whatever classifiers say, if the intent is in
    the domain; so it is not encoded.
    """
    if not text or not text.lstrip().startswith(INTENT_MESSAGE_PREFIX):
        return False
    name = _PAYLOAD_NAME.match(text.strip())
    return name is not None and name.group(1).strip() in intents


def store_intents(intents: Sequence[str], folder: Path) -> None:
    """Writes the intents that payloads may name to a component's folder."""
    (folder / _INTENTS_FILE).write_text(json.dumps(list(intents)), encoding="utf-8")


def read_intents(folder: Path) -> List[str]:
    """Returns the intents stored in a component's folder; none of a model of an earlier version.

    Raises:
        StorageError: If they are damaged.
    """
    path = folder / _INTENTS_FILE
    if not path.is_file():
        return []
    try:
        return [str(name) for name in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError) as error:
        raise StorageError(f"'{path}' cannot be read: {error}; train again") from error


def warn_of_two_fallbacks(schema: GraphSchema) -> None:
    """Warns if a FallbackClassifier would put `nlu_fallback` before ours.

    Args:
        schema: Of the graph that answers; that of a training holds no FallbackClassifier.
    """
    if any(node.uses.__name__ == "FallbackClassifier" for node in schema.nodes.values()):
        rasa.shared.utils.io.raise_warning(
            "TokPruneIntentClassifier: emit_fallback: true does what the pipeline's "
            "FallbackClassifier does too, so that a ranking may hold 'nlu_fallback' twice; remove "
            "one of the two."
        )


def with_fallback(ranking: List[Ranked]) -> List[Ranked]:
    """Puts `nlu_fallback` first if the best intent is below one half."""
    best = ranking[0][1] if ranking else 0.0
    if best >= OPERATING_CONFIDENCE:
        return ranking
    others = [entry for entry in ranking if entry[0] != DEFAULT_NLU_FALLBACK_INTENT_NAME]
    return [(DEFAULT_NLU_FALLBACK_INTENT_NAME, 1.0 - best), *others]


def set_ranking(message: Message, ranking: List[Ranked]) -> None:
    """Writes Rasa's dictionaries; builtin types only, they become JSON."""
    entries = [
        {INTENT_NAME_KEY: name, PREDICTED_CONFIDENCE_KEY: confidence}
        for name, confidence in ranking
    ]
    best = {INTENT_NAME_KEY: None, PREDICTED_CONFIDENCE_KEY: 0.0}
    message.set(INTENT, dict(entries[0]) if entries else best, add_to_output=True)
    message.set(INTENT_RANKING_KEY, entries, add_to_output=True)
