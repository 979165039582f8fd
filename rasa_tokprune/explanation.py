"""Why a message was taken for an intent: nearest examples, operating point, tokens read."""

from __future__ import annotations

from typing import Any, Dict, List, Sequence

import numpy as np

from rasa_tokprune.encoder.encoded_text import EncodedText
from rasa_tokprune.encoder.encoder import Encoder
from rasa_tokprune.fewshot import Decision, PrototypeClassifier, readable_name
from rasa_tokprune.fewshot.support import NO_SOURCE

# Words and pairs of words that are named of each intent.
_SHOWN_WORDS = 5


def explain(
    text: str, encoder: Encoder, classifier: PrototypeClassifier, examples: Sequence[str]
) -> Dict[str, Any]:
    """Returns why the classifier answers a message as it does, ready to become JSON.

    The message is encoded once more, so this is for looking, not for every message of a server.

    Args:
        text: The message.
        encoder: The encoder whose embeddings the classifier was fitted on.
        classifier: What decides.
        examples: Texts of the support set, in the order they were given to `fit`.

    Returns:
        `intents`: the best two, each with `intent`, `confidence`, `similarity` (cosine) to its
        nearest example, of the 100 at most that are kept of a prototype, and that example; how much
        of its `score` came `from_embedding` and how much `from_words`, and which `words` said so,
        each a word or a pair of words of the message with what it added or took, null without a
        lexical view;
        `is_accepted` and `margin`: whether and by how much the in-scope score lies above the
        operating point; `tokens`: each with the `layer` after which it was pruned, null if it
        never was; `plan` and `cost`, the share of the un-pruned model's token-layers; `readable`,
        the share of the message that the encoder's vocabulary knows.
    """
    encoded = encoder.encode_detailed([text])[0]
    explanation: Dict[str, Any] = {
        "text": text,
        "intents": [],
        "is_accepted": False,
        "margin": None,
        "plan": encoder.plan.name,
        "cost": round(float(encoded.cost), 3),
        "readable": round(encoded.tokens.readable_share, 3),
        "tokens": _tokens(text, encoded),
    }
    if not encoded.tokens.has_content:
        return explanation
    readable = encoded.tokens.readable_share
    decision = classifier.decide(encoded.embedding, text, readable)
    explanation["intents"] = [
        {
            **_intent(int(number), decision, classifier, examples),
            **_parts(int(number), decision, classifier, text, readable),
        }
        for number in decision.order[:2]
    ]
    explanation["is_accepted"] = decision.is_accepted
    explanation["margin"] = round(float(decision.margin), 3)
    return explanation


def _intent(
    number: int, decision: Decision, classifier: PrototypeClassifier, examples: Sequence[str]
) -> Dict[str, Any]:
    name = classifier.classes[number]
    entry: Dict[str, Any] = {
        "intent": name,
        "confidence": round(float(decision.confidences[number]), 4),
        "similarity": None,
        "nearest_example": None,
        "is_name": False,
    }
    row = int(decision.scores.nearest[number])
    if row >= 0:
        source = int(classifier.sources[row])
        entry["similarity"] = round(float(decision.scores.similarity[number]), 4)
        entry["is_name"] = source == NO_SOURCE
        prototype = int(np.searchsorted(classifier.head.starts, row, side="right")) - 1
        own_name = readable_name(classifier.keys[prototype])
        entry["nearest_example"] = own_name if entry["is_name"] else examples[source]
    return entry


def _parts(
    number: int, decision: Decision, classifier: PrototypeClassifier, text: str, readable: float
) -> Dict[str, Any]:
    """Returns what embedding and words added to the score of an intent."""
    score = float(decision.scores.class_scores[number])
    view = classifier.lexical
    if view is None:
        own = round(score, 3)
        return {"score": own, "from_embedding": own, "from_words": None, "words": None}
    words = view.contributions(text, number, readable)
    shown = sorted(words.items(), key=lambda pair: -abs(pair[1]))[:_SHOWN_WORDS]
    from_words = sum(words.values())
    return {
        "score": round(score, 3),
        "from_embedding": round(score - from_words, 3),
        "from_words": round(from_words, 3),
        "words": [{"text": word, "score": round(added, 3)} for word, added in shown],
    }


def _tokens(text: str, encoded: EncodedText) -> List[Dict[str, Any]]:
    """Returns the message's own tokens; special ones and those of a prompt are left out."""
    return [
        {"text": text[start:end], "layer": int(layer) if layer >= 0 else None}
        for (start, end), layer in zip(encoded.tokens.offsets, np.asarray(encoded.pruned_after))
        if end > start
    ]
