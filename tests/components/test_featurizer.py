"""Dense features (M6, M7): one row per word, the encoder's embedding, only on texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable, List

import numpy as np
import pytest
from rasa.nlu.tokenizers.tokenizer import Token
from rasa.shared.nlu.constants import (
    ACTION_NAME,
    ACTION_TEXT,
    INTENT,
    INTENT_RESPONSE_KEY,
    RESPONSE,
    TEXT,
)
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components import featurizer as featurizer_module
from rasa_tokprune.components.errors import TokPruneComponentError
from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.encoder import Encoder
from tests.plans import write_plan

Make = Callable[..., Any]
SENTENCE = "please change the delivery address of order 12345"


def with_tokens(text: str, *tokens: Token) -> Message:
    return Message({TEXT: text, "text_tokens": list(tokens)})


def check_shapes(message: Message, hidden_size: int = 32) -> None:
    sequence, sentence = message.get_dense_features(TEXT)
    assert sequence.features.shape == (len(message.get("text_tokens")), hidden_size)
    assert sentence.features.shape == (1, hidden_size)
    for features in (sequence.features, sentence.features):
        assert features.dtype == np.float32
        assert features.flags.c_contiguous
        assert np.isfinite(features).all()


TEXTS = {
    "one word": "hello",
    "sentence": SENTENCE,
    "punctuation": "where, is it?! (now)",
    "empty": "",
    "blank": "   ",
    "emoji": "\U0001f600",
    "joined emoji": "hello \U0001f469\u200d\U0001f469\u200d\U0001f467 there",
    "right to left": "\u0645\u0631\u062d\u0628\u0627 \u0643\u064a\u0641 hello",
    "combining": "cafe\u0301 nai\u0308ve",
    "full width": "\uff48\uff45\uff4c\uff4c\uff4f \u4f60\u597d",
    "control characters": "hello\x00 \x07there\x1b",
    "only control characters": "\x00\x01",
    "lone surrogate": "hello \ud83d there",
    "growing under normalisation": "\ufdfa \u0390 \ufb03",
    "long": "parcel " * 200,
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_every_text_gets_one_row_per_word(featurize: Callable[[str], Message], text: str) -> None:
    check_shapes(featurize(text))


def test_a_text_of_100000_characters(featurize: Callable[[str], Message]) -> None:
    message = featurize("parcel order " * 8000)
    check_shapes(message)
    rows = message.get_dense_features(TEXT)[0].features
    assert rows[0].any()
    assert not rows[-1].any(), "words beyond max_length are not read"


def test_odd_tokens_keep_their_row(create: Make) -> None:
    text = "where  is my parcel"
    message = with_tokens(
        text,
        Token("where", 0),
        Token("  ", 5),
        Token("", 7),
        Token("is my", 7),
        Token("my", 10),
        Token("my parcel", 10, end=500),
        Token("beyond", 400),
    )
    create(TokPruneFeaturizer).process([message])
    check_shapes(message)
    filled = message.get_dense_features(TEXT)[0].features.any(axis=1)
    assert filled.tolist() == [True, False, False, True, True, True, False]


def test_words_beyond_the_cut_get_zeros(create: Make, tokenize: Make) -> None:
    message = tokenize([Message({TEXT: "where is my parcel and my order"})])[0]
    create(TokPruneFeaturizer, max_length=4).process([message])
    check_shapes(message)
    filled = message.get_dense_features(TEXT)[0].features.any(axis=1)
    assert filled[0]
    assert not filled[-1]


@pytest.mark.parametrize("text", ["", "   ", "\x00\x07"])
def test_text_without_content_gets_zeros(create: Make, text: str) -> None:
    message = with_tokens(text, Token(text, 0))
    create(TokPruneFeaturizer).process([message])
    sequence, sentence = message.get_dense_features(TEXT)
    assert sequence.features.tolist() == sentence.features.tolist() == [[0.0] * 32]


@pytest.mark.parametrize("data", [{}, {TEXT: None}, {TEXT: "hello"}, {TEXT: "", "text_tokens": []}])
def test_no_words_no_features(create: Make, data: Any) -> None:
    message = create(TokPruneFeaturizer).process([Message(data)])[0]
    assert message.features == []


def test_sentence_feature_is_the_encoders_embedding(
    featurize: Callable[[str], Message], tiny_encoder: Encoder
) -> None:
    for text in (SENTENCE, "hello", "hello \ud83d there"):
        sentence = featurize(text).get_dense_features(TEXT)[1].features
        np.testing.assert_allclose(sentence, tiny_encoder.encode([text]), atol=1e-6)


def test_row_of_a_word_is_the_mean_of_its_tokens(
    featurize: Callable[[str], Message], tiny_encoder: Encoder
) -> None:
    text = "two parcels arrive"
    encoded = tiny_encoder.encode_detailed([text])[0]
    message = featurize(text)
    rows = message.get_dense_features(TEXT)[0].features
    starts, ends = encoded.tokens.offsets.T
    divided = np.flatnonzero((starts >= 4) & (ends <= 11) & (ends > starts))
    assert len(divided) == 2, "parcel + ##s"
    mean = (encoded.states[divided[0]] + encoded.states[divided[1]]) / 2
    np.testing.assert_allclose(rows[1], mean, atol=1e-6)
    whole = np.flatnonzero((starts == 12) & (ends == 18))
    assert len(whole) == 1
    np.testing.assert_allclose(rows[2], encoded.states[whole[0]], atol=1e-6)


@pytest.mark.parametrize("mode", ["freeze", "drop"])
def test_pruned_words_keep_a_row(
    create: Make, tokenize: Make, plan_path: Any, tiny_bert: Any, mode: str
) -> None:
    write_plan(plan_path, quantile=0.8, mode=mode)
    featurizer = create(TokPruneFeaturizer)
    pruned_after = featurizer._encoder.encode_detailed([SENTENCE])[0].pruned_after
    assert (pruned_after >= 0).any(), "the plan must prune this text"
    message = featurizer.process(tokenize([Message({TEXT: SENTENCE})]))[0]
    assert message.get_dense_features(TEXT)[0].features.any(axis=1).all()


def test_training_and_serving_give_the_same_features(
    create: Make, tokenize: Make, training_data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(featurizer_module, "_CHUNK_SIZE", 4)  # several chunks
    featurizer = create(TokPruneFeaturizer, batch_size=3)
    texts = [m.get(TEXT) for m in training_data.training_examples if m.get(TEXT)]
    tokenize(training_data.training_examples)
    featurizer.process_training_data(training_data)
    trained = [m for m in training_data.training_examples if m.get(TEXT)]
    for text, message in zip(texts, trained):
        served = featurizer.process(tokenize([Message({TEXT: text})]))[0]
        for one, other in zip(served.get_dense_features(TEXT), message.get_dense_features(TEXT)):
            np.testing.assert_allclose(one.features, other.features, atol=1e-5)


def features_of(message: Message, attribute: str) -> List[Features]:
    return [f for f in message.features if f.attribute == attribute]


def test_only_texts_get_features(create: Make, tokenize: Make, training_data: TrainingData) -> None:
    # TED takes intents and action names for sparse; dense features there break it.
    tokenize(training_data.training_examples)
    create(TokPruneFeaturizer).process_training_data(training_data)
    wanted = {TEXT, RESPONSE, ACTION_TEXT}
    seen = {f.attribute for m in training_data.training_examples for f in m.features}
    assert seen == wanted
    for message in training_data.training_examples:
        for attribute in wanted:
            assert len(features_of(message, attribute)) == 2 * bool(message.get(attribute))
        for attribute in (INTENT, ACTION_NAME, INTENT_RESPONSE_KEY):
            assert features_of(message, attribute) == []


def test_at_serving_time_bot_utterances_get_features_too(create: Make, tokenize: Make) -> None:
    message = Message({TEXT: "hello", ACTION_TEXT: "good morning", ACTION_NAME: "action_listen"})
    create(TokPruneFeaturizer).process(tokenize([message]))
    assert {f.attribute for f in message.features} == {TEXT, ACTION_TEXT}


def test_origin_is_the_alias_or_else_the_nodes_name(create: Make, tokenize: Make) -> None:
    for alias, origin in (("tokprune", "tokprune"), (None, "run_test0")):
        message = tokenize([Message({TEXT: "hello"})])[0]
        create(TokPruneFeaturizer, alias=alias).process([message])
        assert {f.origin for f in message.features} == {origin}


def test_two_featurizers_in_one_pipeline(create: Make, tokenize: Make) -> None:
    message = tokenize([Message({TEXT: SENTENCE})])[0]
    create(TokPruneFeaturizer, alias="pruned").process([message])
    create(TokPruneFeaturizer, alias="whole", prune="off").process([message])
    both = message.get_dense_features(TEXT)[1].features
    pruned = message.get_dense_features(TEXT, ["pruned"])[1].features
    whole = message.get_dense_features(TEXT, ["whole"])[1].features
    assert not np.allclose(pruned, whole)
    np.testing.assert_array_equal(both, np.concatenate([pruned, whole], axis=1))


def test_a_repeated_text_is_encoded_once(
    create: Make, tokenize: Make, count_forward: List[int]
) -> None:
    # Rasa itself drops examples that are alike in everything.
    examples = [("hello", "greet"), ("see you", "bye"), ("hello", "chat")]
    messages = tokenize([Message.build(text, intent=intent) for text, intent in examples])
    featurizer = create(TokPruneFeaturizer)
    count_forward.clear()
    featurizer.process_training_data(TrainingData(messages))
    assert sum(count_forward) == 2
    first, _, last = (m.get_dense_features(TEXT)[1].features for m in messages)
    np.testing.assert_array_equal(first, last)


def test_cut_training_texts_are_counted_in_a_warning(create: Make, tokenize: Make) -> None:
    texts = ["hello", "where is my parcel", "please change the address"]
    data = TrainingData(tokenize([Message.build(text, intent="any") for text in texts]))
    with pytest.warns(UserWarning, match="2 of 3 training texts are longer than max_length"):
        create(TokPruneFeaturizer, max_length=4).process_training_data(data)


def test_train_returns_its_resource_and_loads_again(
    create: Make, load: Make, tokenize: Make, training_data: TrainingData
) -> None:
    featurizer = create(TokPruneFeaturizer)
    assert featurizer.train(training_data).name == "TokPruneFeaturizer"
    one, other = tokenize([Message({TEXT: SENTENCE}), Message({TEXT: SENTENCE})])
    featurizer.process([one])
    load(TokPruneFeaturizer).process([other])
    for mine, theirs in zip(one.features, other.features):
        np.testing.assert_array_equal(mine.features, theirs.features)


PAYLOADS = ["/greet", '/greet{"name": "A"}', " /bye@0.9"]


@pytest.mark.parametrize("constructor", ["create", "load"])
def test_payloads_get_zeros_and_are_not_encoded(
    create: Make,
    load: Make,
    training_data: TrainingData,
    tokenize: Callable[..., List[Message]],
    count_forward: List[int],
    constructor: str,
) -> None:
    featurizer = create(TokPruneFeaturizer)
    featurizer.train(training_data)
    component = featurizer if constructor == "create" else load(TokPruneFeaturizer)
    count_forward.clear()
    for message in component.process(tokenize([Message.build(text) for text in PAYLOADS])):
        check_shapes(message)
        assert not any(each.features.any() for each in message.get_dense_features(TEXT))
    assert not count_forward
    # What names no intent of the bot is a message as any other.
    (other,) = component.process(tokenize([Message.build("/other")]))
    assert sum(count_forward) == 1
    assert other.get_dense_features(TEXT)[1].features.any()


@pytest.mark.parametrize("text", ["hello", "hello \ud83d there", ""])
def test_a_payload_changes_nothing_for_others_of_its_batch(
    create: Make, training_data: TrainingData, tokenize: Callable[..., List[Message]], text: str
) -> None:
    featurizer = create(TokPruneFeaturizer)
    featurizer.train(training_data)
    alone = featurizer.process(tokenize([Message.build(text)]))
    _, beside = featurizer.process(tokenize([Message.build("/greet"), Message.build(text)]))
    for mine, theirs in zip(alone[0].features, beside.features, strict=True):
        np.testing.assert_array_equal(mine.features, theirs.features)


def test_a_model_of_an_earlier_version_encodes_payloads(
    create: Make,
    load: Make,
    stored: Callable[..., Path],
    training_data: TrainingData,
    tokenize: Callable[..., List[Message]],
) -> None:
    create(TokPruneFeaturizer).train(training_data)
    intents = stored(TokPruneFeaturizer) / "intents.json"
    intents.unlink()
    (message,) = load(TokPruneFeaturizer).process(tokenize([Message.build("/greet")]))
    assert message.get_dense_features(TEXT)[1].features.any()
    intents.write_text("[", encoding="utf-8")
    with pytest.raises(TokPruneComponentError, match="intents.json' cannot be read.*train again"):
        load(TokPruneFeaturizer)
