"""Both views of a message: what the words add, and what stays as it was without them."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple

import numpy as np
import pytest

from rasa_tokprune.fewshot import Messages, PrototypeClassifier, SupportSet
from rasa_tokprune.fewshot.views import DEFAULT_WEIGHT, fit_views

Labelled = Tuple[np.ndarray, List[str]]


def assert_same(one: PrototypeClassifier, other: PrototypeClassifier) -> None:
    """Asserts that two classifiers are the same bit for bit."""
    for name, array in one.head.arrays().items():
        np.testing.assert_array_equal(array, other.head.arrays()[name], err_msg=name)
    assert one.confidence_map == other.confidence_map
    assert one.temperature == other.temperature
    assert (one.classes, one.keys, one.oos_classes) == (
        other.classes,
        other.keys,
        other.oos_classes,
    )
    assert (one.lexical is None) == (other.lexical is None)
    if one.lexical is not None and other.lexical is not None:
        assert one.lexical.vocabulary.ngrams == other.lexical.vocabulary.ngrams
        assert one.lexical.shared == other.lexical.shared
        np.testing.assert_array_equal(one.lexical.weights, other.lexical.weights)


def made_up_texts(labels: Sequence[str]) -> List[str]:
    """Returns texts of which half the words are the label's own."""
    return [f"{label} w{row % 3} w{row % 7} own{row}" for row, label in enumerate(labels)]


def best(classifier: PrototypeClassifier, vector: np.ndarray, text: str, **given: Any) -> Any:
    return classifier.rank(vector, 1, text=text, **given)[0]


def test_without_texts_and_at_weight_zero_it_is_the_classifier_of_embeddings(
    around: Callable[..., Labelled],
) -> None:
    embeddings, labels = around(8, 6, noise=1.2)
    plain = PrototypeClassifier.fit(embeddings, labels)
    zero = PrototypeClassifier.fit(
        embeddings, labels, texts=made_up_texts(labels), lexical_weight=0
    )
    assert_same(plain, zero)
    query, _ = around(8, 3, noise=1.2, draw=1)
    np.testing.assert_array_equal(
        plain.predict_proba(query),
        zero.predict_proba(Messages(query, made_up_texts(["any"] * len(query)))),
    )


def test_at_weight_zero_words_do_not_tell_equal_embeddings_apart(
    around: Callable[..., Labelled],
) -> None:
    embeddings, labels = around(4, 5)
    embeddings[5] = embeddings[0]
    texts = [*made_up_texts(labels[:5]), "another text", *made_up_texts(labels[6:])]
    plain = PrototypeClassifier.fit(embeddings, labels)
    assert_same(plain, PrototypeClassifier.fit(embeddings, labels, texts=texts, lexical_weight=0))


def test_a_query_without_its_text_goes_by_the_embedding(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(5, 4)
    both = PrototypeClassifier.fit(embeddings, labels, texts=made_up_texts(labels))
    query, _ = around(5, 2, draw=1)
    for vector in query:
        scores = both.decide(vector).scores
        expected = both.head.score((vector / np.linalg.norm(vector))[None])
        np.testing.assert_allclose(scores.class_scores, expected.class_scores[0], atol=1e-5)


def test_words_tell_what_embeddings_cannot(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(6, 5, noise=3.0)
    query, answers = around(6, 10, noise=3.0, draw=1)
    # Of each query's words only the label is known.
    asked = Messages(query, [f"{label} and more" for label in answers])
    both = PrototypeClassifier.fit(embeddings, labels, texts=made_up_texts(labels))
    plain = np.mean(np.array(both.predict(query)) == answers)
    lexical = np.mean(np.array(both.predict(asked)) == answers)
    assert plain < 0.8
    assert lexical > plain + 0.15


def test_the_default_weight_is_what_none_takes(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(4, 4)
    texts = made_up_texts(labels)
    default = PrototypeClassifier.fit(embeddings, labels, texts=texts)
    given = PrototypeClassifier.fit(embeddings, labels, texts=texts, lexical_weight=DEFAULT_WEIGHT)
    assert_same(default, given)
    assert default.lexical is not None
    assert default.lexical.weight == DEFAULT_WEIGHT
    heavy = PrototypeClassifier.fit(embeddings, labels, texts=texts, lexical_weight=3.0)
    assert heavy.lexical is not None
    assert heavy.lexical.weight == 3.0


def shuffled(
    embeddings: np.ndarray, labels: Sequence[str], texts: Sequence[str], readable: np.ndarray
) -> List[PrototypeClassifier]:
    """Returns the classifiers of the same examples in three orders."""
    found = []
    for seed in (None, 0, 1):
        order = np.arange(len(labels))
        if seed is not None:
            order = np.random.default_rng(seed).permutation(order)
        found.append(
            PrototypeClassifier.fit(
                embeddings[order],
                [labels[row] for row in order],
                texts=[texts[row] for row in order],
                readable=readable[order],
            )
        )
    return found


def test_the_order_of_the_examples_does_not_matter(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(6, 6, noise=1.5)
    first, *others = shuffled(embeddings, labels, made_up_texts(labels), np.ones(len(labels)))
    for other in others:
        assert_same(first, other)


@pytest.mark.parametrize("kind", ["unreadable", "same embedding"])
def test_nor_does_it_where_only_texts_differ(around: Callable[..., Labelled], kind: str) -> None:
    embeddings, labels = around(4, 8, noise=1.5)
    readable = np.ones(len(labels))
    if kind == "unreadable":
        readable[::2] = 0.0
    else:
        embeddings = np.repeat(embeddings[::4], 4, axis=0)
    first, *others = shuffled(embeddings, labels, made_up_texts(labels), readable)
    for other in others:
        assert_same(first, other)


def test_one_example_of_each_intent(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(5, 1)
    texts = [f"word{number}" for number in range(5)]
    classifier = PrototypeClassifier.fit(embeddings, labels, texts=texts)
    for vector, label, text in zip(embeddings, labels, texts):
        assert best(classifier, vector, text)[0] == label
        # The words alone decide where the embedding is said to be unreadable.
        assert best(classifier, -vector, text, readable=0.0)[0] == label


@pytest.mark.parametrize("texts", [["hello", "hi there"], ["?", "..."]])
def test_one_intent(around: Callable[..., Labelled], texts: List[str]) -> None:
    embeddings, labels = around(1, 2)
    classifier = PrototypeClassifier.fit(embeddings, labels, texts=texts)
    for text in (*texts, "else"):
        name, confidence = best(classifier, embeddings[0], text)
        assert name == "intent_000"
        assert 0 <= confidence <= 1


def test_no_text_has_a_word(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(3, 3)
    without = PrototypeClassifier.fit(embeddings, labels, texts=["?", "!", "-"] * 3)
    query, _ = around(3, 2, draw=1)
    plain = PrototypeClassifier.fit(embeddings, labels)
    np.testing.assert_array_equal(
        without.predict_proba(Messages(query, ["?"] * 6)), plain.predict_proba(query)
    )


def test_a_large_intent_does_not_swallow_small_ones(around: Callable[..., Labelled]) -> None:
    centres, _ = around(6, 1, noise=0.0)
    rng = np.random.default_rng(0)
    labels = ["large"] * 150 + [f"small_{number}" for number in range(5) for _ in range(3)]
    rows = np.repeat(np.arange(6), [150, 3, 3, 3, 3, 3])
    embeddings = centres[rows] + rng.normal(size=(165, 48))
    texts = [f"{label} w{rng.integers(20)} w{rng.integers(20)}" for label in labels]
    classifier = PrototypeClassifier.fit(embeddings, labels, texts=texts)
    queries = centres[rows[::3]] + rng.normal(size=(55, 48))
    asked = Messages(queries, [f"w{rng.integers(20)} unheard" for _ in queries])
    found = np.array(classifier.predict(asked))
    is_small = np.array(labels[::3]) != "large"
    assert np.mean(found[is_small] == np.array(labels[::3])[is_small]) >= 0.8
    # Words that no example holds speak for no class, the large one neither.
    zeros = classifier.decide(np.zeros(48), "unheard of", readable=0.0).scores.class_scores
    assert np.ptp(zeros) <= 0.002


def test_unreadable_examples_say_nothing_in_their_embedding(
    around: Callable[..., Labelled],
) -> None:
    embeddings, labels = around(3, 4)
    readable = np.array([1.0, 0.5, 0.49, 0.0] * 3)
    support = SupportSet.of(embeddings, labels, texts=made_up_texts(labels), readable=readable)
    unread = support.readable < 0.5
    assert sorted(support.sources[unread] % 4) == [2] * 3 + [3] * 3
    assert (support.embeddings[unread] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(support.embeddings[~unread], axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(support.readable, readable[support.sources])


def test_an_intent_of_unreadable_examples_alone(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(3, 2)
    embeddings[4:] = embeddings[4]  # as every text of unknown signs is embedded
    texts = ["hello", "hi", "bye", "see you", "再见", "拜拜"]
    readable = np.array([1.0, 1.0, 1.0, 1.0, 0.0, 0.0])
    classifier = PrototypeClassifier.fit(embeddings, labels, texts=texts, readable=readable)
    probabilities = classifier.predict_proba(Messages(embeddings, texts, readable))
    assert np.isfinite(probabilities).all()
    assert [classifier.classes[each] for each in probabilities.argmax(axis=1)] == labels
    # Signs that were not taught are no reason to take it for what unreadable examples say.
    assert best(classifier, embeddings[4], "退款", readable=0.0)[1] < 0.5


def test_every_example_is_unreadable() -> None:
    texts, labels = ["再见", "拜拜", "你好", "您好"], ["bye", "bye", "hi", "hi"]
    zeros = np.zeros(4)
    classifier = PrototypeClassifier.fit(np.ones((4, 8)), labels, texts=texts, readable=zeros)
    found = classifier.predict(Messages(np.ones((4, 8)), texts, zeros))
    assert found == labels
    assert np.isfinite(classifier.predict_proba(np.ones((2, 8)))).all()


ODD = ["", " ", "?", "\n", "\ud800", "👍" * 500, "word " * 2000, "\u0301", "再" * 300, "\x00"]


@pytest.mark.parametrize("readable", [0.0, 0.3, 1.0])
def test_confidences_are_finite_and_descend_whatever_is_asked(
    around: Callable[..., Labelled], readable: float
) -> None:
    embeddings, labels = around(5, 3)
    texts = made_up_texts(labels)
    texts[3], texts[7] = "?", "👍"
    classifier = PrototypeClassifier.fit(embeddings, labels, texts=texts)
    for vector in (embeddings[0], np.zeros(48), -embeddings[4]):
        for text in (*ODD, *texts):
            decision = classifier.decide(vector, text, readable)
            ranked = decision.confidences[decision.order]
            assert np.isfinite(ranked).all()
            assert ((ranked >= 0) & (ranked <= 1)).all()
            assert (np.diff(ranked) <= 1e-12).all()


# Intents that share a text, and how many other examples each has.
SHARED = [(3, 3), (1, 8), (8, 1), (0, 6)]


def bot_with_shared_text(
    around: Callable[..., Labelled], n_own: Tuple[int, int], readable: float
) -> Tuple[PrototypeClassifier, np.ndarray]:
    """Returns a bot whose first two intents hold the text 'shared words', and its embedding."""
    embeddings, _ = around(5, 8, noise=0.6)
    by_class = embeddings.reshape(5, 8, -1)
    vector = np.random.default_rng(5).normal(size=48).astype(np.float32)
    vectors, labels, texts = [vector, vector], ["one", "two"], ["shared words", "shared words"]
    for number, (name, count) in enumerate(
        [("one", n_own[0]), ("two", n_own[1]), ("x", 5), ("y", 5), ("z", 5)]
    ):
        vectors += list(by_class[number, :count])
        labels += [name] * count
        texts += [f"{name} word{row}" for row in range(count)]
    shares = np.array([readable, readable] + [1.0] * (len(labels) - 2))
    fitted = PrototypeClassifier.fit(np.stack(vectors), labels, texts=texts, readable=shares)
    return fitted, vector


@pytest.mark.parametrize("readable", [1.0, 0.0], ids=["readable", "unreadable"])
@pytest.mark.parametrize("n_own", SHARED)
def test_a_text_of_two_intents_gets_one_half_at_most(
    around: Callable[..., Labelled], n_own: Tuple[int, int], readable: float
) -> None:
    classifier, vector = bot_with_shared_text(around, n_own, readable)
    (first, top), (second, _) = classifier.rank(vector, 2, text="shared words", readable=readable)
    assert {first, second} == {"one", "two"}
    assert top <= 0.5
    # What is not shared is not held down.
    vectors, _ = around(5, 8, noise=0.6)
    name, confidence = best(classifier, vectors[16], "x word0")
    assert name == "x"
    assert confidence > 0.5


def minimal_pair(around: Callable[..., Labelled]) -> Tuple[PrototypeClassifier, np.ndarray]:
    """Returns a bot with 'on kişi' and 'ön kişi' in two intents, and their one embedding."""
    embeddings, labels = around(6, 5, noise=0.6)
    pair = np.random.default_rng(3).normal(size=48).astype(np.float32)
    vectors = [*embeddings, *[pair + 0.05 * n for n in (0, 1, 2)] * 2]
    texts = [
        *made_up_texts(labels),
        "on kişi", "on kişi için", "masa on kişi",
        "ön kişi", "ön kişi için", "masa ön kişi",
    ]  # fmt: skip
    names = [*labels, *["ten people"] * 3, *["front people"] * 3]
    return PrototypeClassifier.fit(np.stack(vectors), names, texts=texts), pair


def test_words_tell_equal_embeddings_apart(around: Callable[..., Labelled]) -> None:
    classifier, pair = minimal_pair(around)
    assert classifier.lexical is not None
    assert not classifier.lexical.shared
    for text, expected in (("on kişi", "ten people"), ("ön kişi", "front people")):
        name, confidence = best(classifier, pair, text)
        assert (name, confidence > 0.5) == (expected, True)


def shared_of(labels: List[str], texts: List[str], **given: Any) -> List[str]:
    """Returns the texts that a support set holds in several classes."""
    vectors = np.eye(len(labels), dtype=np.float32)
    support = SupportSet.of(vectors, labels, texts=texts, **given)
    assert support.lexical is not None
    return sorted(support.lexical.shared)


def test_the_same_words_in_two_intents_are_shared() -> None:
    assert shared_of(["a", "b", "a", "b"], ["x", "X!", "y", "z"]) == ["x"]
    # As 'Thanks!' and 'thanks' are of one intent, nothing is shared between two.
    assert shared_of(["a", "a", "b"], ["Thanks!", "thanks", "no"]) == []
    # Punctuation alone is no text that intents could share.
    assert shared_of(["a", "b"], ["?", "..."]) == []
    # An intent's name is no message.
    names = {"a": np.ones(2), "b": np.ones(2)}
    assert shared_of(["a", "b"], ["b", "hello"], names=names) == []


def test_a_part_of_a_support_set_is_fitted_without_the_rest(
    around: Callable[..., Labelled],
) -> None:
    embeddings, labels = around(4, 5)
    support = SupportSet.of(embeddings, labels, texts=made_up_texts(labels))
    stays = support.targets != 1
    views = fit_views(support, None, stays)
    assert views.lexical is not None
    assert views.lexical.weights.shape[1] == views.head.n_way == 3
    row = int(np.flatnonzero(support.targets == 3)[0])
    (scores,) = views.score_examples(support, np.array([row]))
    assert scores.class_scores.argmax() == 2, "numbered anew"
    own = views.lexical.vocabulary.ngrams.index("001")  # of intent_001
    np.testing.assert_array_equal(views.lexical.weights[own], np.zeros(3))


def test_an_example_scores_as_the_same_message_would(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(4, 4)
    texts = made_up_texts(labels)
    support = SupportSet.of(embeddings, labels, texts=texts, readable=np.array([1.0, 0.8] * 8))
    views = fit_views(support)
    asked = Messages(support.embeddings, [texts[row] for row in support.sources], support.readable)
    examples = views.score_examples(support, np.arange(len(texts)))
    for one, other in zip(examples, views.score_messages(asked)):
        np.testing.assert_allclose(one.class_scores, other.class_scores, atol=1e-4)


def test_messages_are_taken_with_their_texts() -> None:
    messages = Messages(np.eye(3), ["a", "b", "c"], np.array([1.0, 0.5, 0.0]))
    taken = messages.take(np.array([2, 0]))
    assert [taken.text(0), taken.text(1)] == ["c", "a"]
    assert [taken.readable_share(0), taken.readable_share(1)] == [0.0, 1.0]
    bare = Messages(np.eye(3)).take(np.array([1]))
    assert (bare.text(0), bare.readable_share(0), len(bare)) == (None, 1.0, 1)


@pytest.mark.parametrize("texts", [["a"], ["a", "b", "c", "d"]])
def test_as_many_texts_as_examples_are_asked_for(texts: List[str]) -> None:
    with pytest.raises(ValueError, match=f"3 embeddings, 3 labels, 3 keys, {len(texts)} texts"):
        SupportSet.of(np.eye(3), ["a", "b", "c"], texts=texts)


def test_names_of_intents_are_words_too(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(6, 3, noise=0.5)
    centres = embeddings.reshape(6, 3, -1).mean(axis=1)
    names: Dict[str, np.ndarray] = dict(zip(sorted(set(labels)), centres))
    support = SupportSet.of(
        embeddings, labels, None, names, [f"text {row}" for row in range(len(labels))]
    )
    assert support.lexical is not None
    assert "intent" in support.lexical.vocabulary.ngrams, "of 'intent_000'"
    assert support.lexical.rows.shape[0] == len(support.embeddings) == len(support.readable)
    assert (support.readable == 1).all()


@pytest.mark.thorough
def test_two_thousand_intents_of_one_example(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(2000, 1)
    labels = [f"intent_{number:04}" for number in range(2000)]
    texts = [f"word{number} word{number % 40} and" for number in range(2000)]
    classifier = PrototypeClassifier.fit(embeddings, labels, texts=texts)
    rows = np.arange(0, 2000, 100)
    asked = Messages(embeddings, texts).take(rows)
    assert classifier.predict(asked) == [labels[row] for row in rows]


def test_what_neither_view_knows_is_no_intent(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(5, 4)
    classifier = PrototypeClassifier.fit(embeddings, labels, texts=made_up_texts(labels))
    unknown = np.ones(embeddings.shape[1], dtype=np.float32)
    assert classifier.rank(unknown, 1, text="退款", readable=0.0)[0][1] < 0.1
    known = best(classifier, unknown, made_up_texts(labels)[0], readable=0.0)
    assert known[1] > 0.1


def test_content_free_texts_count_only_beside_words(around: Callable[..., Labelled]) -> None:
    embeddings, labels = around(5, 4)
    given = {"texts": made_up_texts(labels), "content_free": embeddings[:3] + 0.1}
    assert len(PrototypeClassifier.fit(embeddings, labels, **given).head.content_free) == 3
    without = PrototypeClassifier.fit(embeddings, labels, lexical_weight=0, **given)
    assert_same(without, PrototypeClassifier.fit(embeddings, labels))
