"""What Prometheus reads of the components: counted by hand."""

from __future__ import annotations

from typing import Any, Callable, Iterator, Tuple

import prometheus_client
import pytest
from prometheus_client.parser import text_string_to_metric_families
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.response_selector import TokPruneResponseSelector
from rasa_tokprune.encoder import Encoder
from rasa_tokprune.monitoring.exposition import ADDRESS_VARIABLE, FOLDER_VARIABLE, serve_once
from rasa_tokprune.monitoring.meters import COUNTER, METERS
from tests.monitoring.scraped import Samples, page, scrape

Make = Callable[..., Any]
TEXTS = ["hello there", "where is it", "hello there", "", "see you"]


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[Tuple[str, int]]:
    """Serves the metrics of this process at a free port."""
    for name in (FOLDER_VARIABLE, "SANIC_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(ADDRESS_VARIABLE, "127.0.0.1:0")
    serve_once.cache_clear()
    found = serve_once()
    assert found is not None
    yield found
    serve_once.cache_clear()


def grown(before: Samples, after: Samples) -> Callable[[str, str], float]:
    return lambda name, labels: after.get((name, labels), 0) - before.get((name, labels), 0)


def classes(create: Make, load: Make, component: Any, data: TrainingData, **keys: Any) -> Any:
    create(component, **keys).train(data)
    return load(component, **keys)


def test_a_classifier_counts_what_it_answers(
    create: Make,
    load: Make,
    training_data: TrainingData,
    tiny_encoder: Encoder,
    address: Tuple[str, int],
) -> None:
    name = "TokPruneIntentClassifier"
    classifier = classes(
        create, load, TokPruneIntentClassifier, training_data, cache_size=9, ranking_length=1
    )
    before = scrape(*address)
    answers = []
    for text in TEXTS:
        (message,) = classifier.process([Message({TEXT: text})])
        answers.append(message.get("intent")["confidence"])
    new = grown(before, scrape(*address))
    assert new("rasa_tokprune_messages_total", name) == 5
    below = sum(confidence < 0.5 for confidence in answers)
    assert new("rasa_tokprune_below_operating_point_total", name) == below
    assert new("rasa_tokprune_confidence_count", name) == 5
    assert new("rasa_tokprune_confidence_sum", name) == pytest.approx(sum(answers))
    assert new("rasa_tokprune_decide_seconds_count", name) == 5
    # The empty one is never remembered, nor does it go through the encoder.
    assert new("rasa_tokprune_cache_hits_total", name) == 1
    assert new("rasa_tokprune_cache_misses_total", name) == 4
    assert new("rasa_tokprune_encode_seconds_count", name) == 3
    encoded = tiny_encoder.encode_detailed(["hello there", "where is it", "see you"])
    tokens = sum(len(each.tokens) for each in encoded)
    kept = sum(int((each.pruned_after == -1).sum()) for each in encoded)
    assert kept < tokens
    assert new("rasa_tokprune_tokens_total", name) == tokens
    assert new("rasa_tokprune_tokens_kept_total", name) == kept


def test_what_is_watched_answers_as_before(
    create: Make,
    load: Make,
    trained: TokPruneIntentClassifier,
    address: Tuple[str, int],
) -> None:
    watched = load(TokPruneIntentClassifier)
    expected, found = (
        [each.as_dict() for each in component.process([Message({TEXT: text}) for text in TEXTS])]
        for component in (trained, watched)
    )
    assert found == expected


def test_featurizer_and_selector_count_for_themselves(
    create: Make,
    load: Make,
    training_data: TrainingData,
    tokenize: Make,
    address: Tuple[str, int],
) -> None:
    featurizer = classes(create, load, TokPruneFeaturizer, training_data)
    selector = classes(create, load, TokPruneResponseSelector, training_data)
    before = scrape(*address)
    messages = featurizer.process(tokenize([Message({TEXT: "where do you live"})]))
    selector.process(messages)
    new = grown(before, scrape(*address))
    assert new("rasa_tokprune_encode_seconds_count", "TokPruneFeaturizer") == 1
    # It takes the featurizer's vector.
    assert new("rasa_tokprune_encode_seconds_count", "TokPruneResponseSelector") == 0
    assert new("rasa_tokprune_messages_total", "TokPruneResponseSelector") == 1


def test_training_is_not_counted(
    create: Make, training_data: TrainingData, address: Tuple[str, int]
) -> None:
    before = scrape(*address)
    create(TokPruneIntentClassifier).train(training_data)
    assert scrape(*address) == before


def test_labels_are_names_of_ours_and_no_text_is_shown(
    create: Make, load: Make, training_data: TrainingData, address: Tuple[str, int]
) -> None:
    classifier = classes(create, load, TokPruneIntentClassifier, training_data)
    classifier.process([Message({TEXT: "xylophone"})])
    text = page(*address)
    assert "xylophone" not in text
    for family in text_string_to_metric_families(text):
        is_ours = family.name.startswith("rasa_tokprune_")
        if is_ours and not family.name.endswith("_created"):
            meter = METERS[family.name]
            assert family.documentation == meter.meaning
            assert family.type == meter.kind
            for sample in family.samples:
                assert set(sample.labels) <= {meter.label, "le"}
    assert {m.kind for m in METERS.values()} == {COUNTER, "histogram"}


def test_counters_are_named_as_prometheus_wants_them() -> None:
    assert prometheus_client.REGISTRY is not None
    for name, meter in METERS.items():
        assert not name.endswith("_total"), "the library adds it"
        assert bool(meter.buckets) == (meter.kind != COUNTER)
        assert meter.kind == COUNTER or name.endswith(("_seconds", "_confidence"))
