"""Behind a component with the same encoder the selector does not encode again."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence

import pytest
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.encoder.tokens import Tokens
from tests.components.checks import keys, select

Make = Callable[..., Any]
QUESTIONS = ["where is my parcel", "do you ship to Switzerland"]


@pytest.mark.parametrize("before", [TokPruneFeaturizer, TokPruneIntentClassifier])
@pytest.mark.parametrize("cache_size", [0, 16])
def test_a_message_is_encoded_once_for_all_components(
    create: Make, tokenize: Make, training_data: TrainingData, count_forward: List[int],
    before: Any, cache_size: int,
) -> None:  # fmt: skip
    first, second = create(before, cache_size=cache_size), create(TokPruneResponseSelector)
    first.train(training_data)
    second.train(training_data)
    texts = ["where is it", "can you ship the parcel to Austria"]
    messages = tokenize([Message({TEXT: text}) for text in texts])
    count_forward.clear()
    second.process(first.process(messages))
    assert sum(count_forward) == len(texts)
    for message, alone in zip(messages, select(second, *texts)):
        found = message.get("response_selector")
        assert keys(found["default"]) == keys(alone["default"])
        own, other = (each["default"]["response"]["confidence"] for each in (found, alone))
        assert own == pytest.approx(other, abs=1e-5)


def test_training_behind_a_classifier_encodes_no_example_again(
    create: Make, training_data: TrainingData, count_forward: List[int]
) -> None:
    examples = [Message(example.data) for example in training_data.response_examples]
    create(TokPruneResponseSelector).train(TrainingData(examples))
    n_alone = sum(count_forward)
    create(TokPruneIntentClassifier).train(training_data)
    component = create(TokPruneResponseSelector)
    count_forward.clear()
    component.train(training_data)
    assert sum(count_forward) == n_alone - len(examples), "what is left: names, the warm-up"


@pytest.mark.parametrize("other", [{"prune": "off"}, {"max_length": 16}])
def test_vectors_of_another_encoder_are_not_reused(
    create: Make, trained: TokPruneIntentClassifier, training_data: TrainingData,
    count_forward: List[int], other: Dict[str, Any],
) -> None:  # fmt: skip
    component = create(TokPruneResponseSelector, **other)
    component.train(training_data)
    count_forward.clear()
    message = component.process(trained.process([Message({TEXT: QUESTIONS[0]})]))[0]
    assert sum(count_forward) == 2
    assert message.get("response_selector") == select(component, QUESTIONS[0])[0]


def test_a_text_changed_behind_the_classifier_is_encoded_anew(
    trained: TokPruneIntentClassifier, selector: TokPruneResponseSelector
) -> None:
    message = trained.process([Message({TEXT: QUESTIONS[0]})])[0]
    message.set(TEXT, QUESTIONS[1])
    selector.process([message])
    assert message.get("response_selector") == select(selector, QUESTIONS[1])[0]


def test_vectors_on_a_message_are_seen_by_nobody_else(
    trained: TokPruneIntentClassifier,
) -> None:
    message = trained.process([Message({TEXT: "hello there"})])[0]
    assert message.features == []
    assert set(message.as_dict()) == {"text", "intent", "intent_ranking"}
    answers = {key: message.get(key) for key in ("text", "intent", "intent_ranking")}
    assert message.fingerprint() == Message(answers).fingerprint()


def test_a_message_is_tokenized_once(
    trained: TokPruneIntentClassifier,
    selector: TokPruneResponseSelector,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: List[str] = []
    original = Encoder.tokenize

    def recorder(self: Encoder, texts: Sequence[str]) -> List[Tokens]:
        seen.extend(texts)
        return original(self, texts)

    monkeypatch.setattr(Encoder, "tokenize", recorder)
    selector.process(trained.process([Message({TEXT: QUESTIONS[0]})]))
    assert seen == [QUESTIONS[0]]
