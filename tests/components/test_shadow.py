"""Shadow mode: a share of messages is also answered un-pruned; no answer changes or waits."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import numpy as np
import pytest
from rasa.shared.exceptions import InvalidConfigException
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from structlog.testing import capture_logs

from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.components.shadow import compare
from rasa_tokprune.components.shadow.compare import (
    OTHER_INTENT,
    PRUNED_FALLS_BACK,
    SAME,
    UN_PRUNED_FALLS_BACK,
    Shadow,
    difference,
)
from rasa_tokprune.components.shadow.stored import SHADOW_FOLDER
from rasa_tokprune.encoder import PruningPlan, load_encoder
from rasa_tokprune.errors import CheckpointError
from rasa_tokprune.fewshot import Messages
from rasa_tokprune.fewshot.certificate import Outcome, outcomes_of
from rasa_tokprune.monitoring.watch import Watch
from tests.checkpoints import CORPUS, N_LAYERS
from tests.components.checks import edit_json, one_line, parse

Make = Callable[..., Any]
GREET, BYE = Outcome("greet", True), Outcome("bye", True)


@pytest.mark.parametrize(
    ("served", "un_pruned", "expected"),
    [
        (GREET, GREET, SAME),
        (GREET, BYE, OTHER_INTENT),
        (GREET, Outcome("greet", False), UN_PRUNED_FALLS_BACK),
        (Outcome("greet", False), BYE, PRUNED_FALLS_BACK),
        # Two intents below the operating point are one fallback.
        (Outcome("greet", False), Outcome("bye", False), SAME),
        (None, None, SAME),
        (None, GREET, PRUNED_FALLS_BACK),
        (GREET, None, UN_PRUNED_FALLS_BACK),
    ],
)
def test_what_differs_is_what_the_bot_would_do(
    served: Optional[Outcome], un_pruned: Optional[Outcome], expected: str
) -> None:
    assert difference(served, un_pruned) == expected


class Encoder:
    """Stands in for an un-pruned encoder: knows no text but reads all."""

    def read(self, texts: List[str], *, zero_blank: bool = False) -> Any:
        if "secret" in texts:
            raise ValueError("cannot read 'secret'")
        return np.ones((len(texts), 2), np.float32), np.ones(len(texts))


class Counts(Watch):
    """Keeps what would be a metric."""

    def __init__(self) -> None:
        self.seen: List[str] = []

    def shadow(self, outcome: str) -> None:
        self.seen.append(outcome)


@pytest.fixture
def shadow_of(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Shadow]:
    """Returns a function: rate and what opens the encoder -> a shadow that would always greet."""
    monkeypatch.setattr(compare, "outcomes_of", lambda classifier, messages: [GREET])

    def make(rate: float, opens: Callable[[], Any] = Encoder) -> Shadow:
        return Shadow(rate, None, opens, Counts())  # type: ignore[arg-type]

    return make


def ask(shadow: Shadow, *texts: str) -> None:
    shadow.ask(texts, [[("greet", 0.9)]] * len(texts))


def test_that_share_is_sampled_and_always_the_same(shadow_of: Make) -> None:
    found = []
    for _ in range(2):
        shadow = shadow_of(0.2)
        for _ in range(1000):
            ask(shadow, "hello")
            shadow.wait()
        found.append(shadow.counts[SAME])
    assert found[0] == found[1]
    # 5 standard deviations of 1000 draws.
    assert abs(found[0] - 200) < 64


def test_all_and_none(shadow_of: Make) -> None:
    everything = shadow_of(1.0)
    ask(everything, *["hello"] * 30)
    everything.wait()
    assert everything.counts == {SAME: 30}
    assert everything._watch.seen == [SAME] * 30  # type: ignore[attr-defined]


def test_no_answer_waits_and_a_burst_is_left_out(
    shadow_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "MOST_WAITING", 3)
    gate = threading.Event()

    def slow() -> Encoder:
        gate.wait(30)
        return Encoder()

    shadow = shadow_of(1.0, slow)
    ask(shadow, *["hello"] * 10)  # returns although nothing can be compared yet
    n_left_out = shadow.counts["left_out"]
    gate.set()
    shadow.wait()
    assert n_left_out >= 6
    assert shadow.counts[SAME] == 10 - n_left_out


def test_no_thread_is_left_when_nothing_waits(shadow_of: Make) -> None:
    shadow = shadow_of(1.0)
    ask(shadow, "hello")
    shadow.wait()
    assert "shadow" not in [thread.name for thread in threading.enumerate()]


def test_a_failure_is_counted_without_the_message(shadow_of: Make) -> None:
    shadow = shadow_of(1.0)
    with capture_logs() as logs:
        ask(shadow, "secret", "hello")
        shadow.wait()
    assert shadow.counts == {"failed": 1, SAME: 1}
    (line,) = logs
    assert (line["event"], line["error"]) == ("rasa_tokprune.shadow_failed", "ValueError")
    assert "secret" not in str(logs)


def test_an_encoder_that_is_not_there_ends_it_with_one_line(shadow_of: Make) -> None:
    def missing() -> Any:
        raise CheckpointError("no such folder")

    shadow = shadow_of(1.0, missing)
    with capture_logs() as logs:
        for _ in range(3):
            ask(shadow, "hello")
            shadow.wait()
    assert shadow.counts == {"failed": 1}
    (line,) = logs
    assert (line["event"], line["reason"]) == ("rasa_tokprune.no_shadow", "no such folder")


def test_every_hundred_are_summed_up_in_the_log(
    shadow_of: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compare, "LOG_EVERY", 4)
    shadow = shadow_of(1.0)
    with capture_logs() as logs:
        ask(shadow, "a", "b", "secret", "c")
        shadow.ask(["d"], [[("bye", 0.9)]])
        shadow.wait()
    (line,) = [each for each in logs if each["event"] == "tokprune_intent_classifier.shadow"]
    assert line["log_level"] == "info"
    assert (line["messages"], line["changed"], line[OTHER_INTENT]) == (4, 1, 1)
    assert 0.25 < line["upper_bound"] < 1
    assert line["failed"] == 1


@pytest.mark.parametrize("rate", [-0.1, 1.1, "all", None, True, float("nan")])
def test_a_rate_is_a_share(create: Make, rate: Any) -> None:
    with pytest.raises(InvalidConfigException) as error:
        create(TokPruneIntentClassifier, shadow_rate=rate)
    assert "shadow_rate must be a number in [0, 1]" in one_line(error)


def trained_with(create: Make, load: Make, data: TrainingData, **keys: Any) -> Any:
    create(TokPruneIntentClassifier, **keys).train(data)
    return load(TokPruneIntentClassifier, **keys)


def answers(classifier: TokPruneIntentClassifier) -> List[Dict[str, Any]]:
    return [message.as_dict() for message in parse(classifier, *CORPUS)]


def test_answers_are_those_without_it_and_differences_are_counted(
    create: Make, load: Make, training_data: TrainingData, tiny_bert: Path
) -> None:
    # So much that a random encoder's answers change.
    pruned = {"quantile": 0.95, "prune_layers": [0, 1]}
    expected = answers(trained_with(create, load, training_data, **pruned))
    classifier = trained_with(create, load, training_data, shadow_rate=1.0, **pruned)
    served = answers(classifier)
    assert served == expected
    classifier._shadow.wait()
    # By hand: the un-pruned bot is one that was trained with `prune: off`.
    original = trained_with(create, load, training_data, prune="off")
    encoder = load_encoder(str(tiny_bert), prune="off", precision="auto")
    own = outcomes_of(original._prototypes, Messages.encoded(list(CORPUS), encoder))
    by_hand = [
        difference(Outcome(each["intent"]["name"], each["intent"]["confidence"] >= 0.5), other)
        for each, other in zip(served, own)
    ]
    counts = classifier._shadow.counts
    assert {kind: by_hand.count(kind) for kind in by_hand} == dict(counts)


def test_the_un_pruned_encoder_is_opened_by_the_first_sampled_message(
    create: Make, load: Make, training_data: TrainingData
) -> None:
    classifier = trained_with(create, load, training_data, shadow_rate=1.0)
    assert classifier._shadow._encoder is None
    parse(classifier, "hello")
    classifier._shadow.wait()
    assert classifier._shadow._encoder.plan == PruningPlan.identity(N_LAYERS)


def test_it_works_from_a_bundled_encoder_whose_folder_is_deleted(
    create: Make, load: Make, training_data: TrainingData, stored: Make
) -> None:
    keys = {"shadow_rate": 1.0, "bundle_encoder": True}
    classifier = trained_with(create, load, training_data, **keys)
    for path in sorted(stored(TokPruneIntentClassifier).rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    parse(classifier, "hello")
    classifier._shadow.wait()
    assert sum(classifier._shadow.counts.values()) == 1
    assert classifier._shadow.counts["failed"] == 0


def test_without_it_nothing_is_stored_and_nobody_asks(
    create: Make, load: Make, training_data: TrainingData, stored: Make
) -> None:
    trained_with(create, load, training_data, shadow_rate=0.5)
    assert (stored(TokPruneIntentClassifier) / SHADOW_FOLDER).is_dir()
    classifier = trained_with(create, load, training_data)
    assert not (stored(TokPruneIntentClassifier) / SHADOW_FOLDER).exists()
    assert classifier._shadow is None


def test_a_plan_that_prunes_nothing_has_nothing_to_compare(
    create: Make, load: Make, training_data: TrainingData
) -> None:
    with capture_logs() as logs:
        classifier = trained_with(create, load, training_data, shadow_rate=0.5, prune="off")
    assert classifier._shadow is None
    (line,) = [each for each in logs if each["event"] == "rasa_tokprune.nothing_to_shadow"]
    assert "shadow_rate: 0.5" in line["hint"]


def test_damaged_prototypes_of_it_stop_no_bot(
    create: Make, load: Make, training_data: TrainingData, stored: Make
) -> None:
    create(TokPruneIntentClassifier, shadow_rate=1.0).train(training_data)
    path = stored(TokPruneIntentClassifier) / SHADOW_FOLDER / "prototypes.json"
    edit_json(path, lambda content: content.pop("classes"))
    with capture_logs() as logs:
        classifier = load(TokPruneIntentClassifier, shadow_rate=1.0)
    assert [each["event"] for each in logs] == ["rasa_tokprune.no_shadow"]
    (message,) = classifier.process([Message({TEXT: "hello there"})])
    assert message.get("intent")["name"] is not None
