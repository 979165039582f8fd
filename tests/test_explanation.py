"""Explanations: what embedding and words added, which words, what could be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import pytest

from rasa_tokprune.encoder import Encoder, load_encoder
from rasa_tokprune.explanation import explain
from rasa_tokprune.fewshot import Messages, PrototypeClassifier

EXAMPLES = {
    "affirm": ["yes please", "yes", "👍"],
    "deny": ["no thanks", "no", "👎"],
    "track": ["where is my parcel", "when will the parcel arrive", "track my parcel"],
}
TEXTS = [text for texts in EXAMPLES.values() for text in texts]
LABELS = [label for label, texts in EXAMPLES.items() for _ in texts]

Explain = Callable[..., Dict[str, Any]]


pytestmark = pytest.mark.needs("onnxruntime")  # in fp32


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory, checkpoint: Callable[[str], Path]) -> Encoder:
    """Returns a tiny encoder that does not know emoji."""
    return load_encoder(str(checkpoint("bert")))


@pytest.fixture(scope="module")
def explained(encoder: Encoder) -> Explain:
    """Returns a function: message and weight of its words -> explanation."""
    own = Messages.encoded(TEXTS, encoder)

    def make(text: str, lexical_weight: Optional[float] = None) -> Dict[str, Any]:
        classifier = PrototypeClassifier.fit(
            own.embeddings,
            LABELS,
            texts=own.texts,
            readable=own.readable,
            lexical_weight=lexical_weight,
        )
        return explain(text, encoder, classifier, TEXTS)

    return make


@pytest.mark.parametrize("text", ["where is my parcel", "yes 👍", "👎", "when, 👍 when?", "??"])
def test_embedding_and_words_add_up_to_the_score(explained: Explain, text: str) -> None:
    found = explained(text)
    assert len(found["intents"]) == 2
    for entry in found["intents"]:
        total = entry["from_embedding"] + entry["from_words"]
        assert total == pytest.approx(entry["score"], abs=0.002)
        if len(entry["words"]) < 5:  # all of them are shown
            shown = sum(word["score"] for word in entry["words"])
            assert shown == pytest.approx(entry["from_words"], abs=0.003)
    assert json.loads(json.dumps(found)) == found


def test_the_words_that_decide_are_named(explained: Explain) -> None:
    found = explained("Where is 👍 where is?")
    best = found["intents"][0]
    assert best["intent"] == "track"
    named = {word["text"]: word["score"] for word in best["words"]}
    assert set(named) == {"where", "is", "👍", "where is"}
    assert named["where is"] > 0 > named["👍"]
    assert list(named.values()) == sorted(named.values(), key=abs, reverse=True)


def test_five_words_are_named_at_most(explained: Explain) -> None:
    found = explained("where is my parcel, when will the parcel arrive, yes please, no thanks")
    assert [len(entry["words"]) for entry in found["intents"]] == [5, 5]


def test_a_message_of_other_words_says_so(explained: Explain) -> None:
    found = explained("goodbye")
    entry = found["intents"][0]
    assert (entry["from_words"], entry["words"]) == (0, [])
    assert entry["from_embedding"] == entry["score"]


@pytest.mark.parametrize(
    ("text", "share"),
    [("hello there", 1.0), ("👎", 0.0), ("hello 👍", 0.5), ("no no no 👎", 0.857)],
)
def test_what_could_not_be_read_is_said(explained: Explain, text: str, share: float) -> None:
    assert explained(text)["readable"] == share


def test_an_unreadable_message_is_explained_by_words_alone(explained: Explain) -> None:
    best = explained("👎")["intents"][0]
    assert best["intent"] == "deny"
    assert best["from_embedding"] == pytest.approx(0, abs=0.002)
    assert [word["text"] for word in best["words"]] == ["👎"]


def test_without_the_lexical_view_no_words_are_named(explained: Explain) -> None:
    found = explained("where is my parcel", lexical_weight=0)
    assert [entry["words"] for entry in found["intents"]] == [None, None]
    assert [entry["from_words"] for entry in found["intents"]] == [None, None]


def test_a_message_without_content_has_no_intents(explained: Explain) -> None:
    found = explained(" \u200b")
    assert (found["intents"], found["margin"], found["is_accepted"]) == ([], None, False)
