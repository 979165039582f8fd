"""Rasa's training cache: nothing is trained twice, and nothing stale is kept."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest
from rasa.engine.training.components import FingerprintStatus
from rasa.model_training import CODE_NEEDS_TO_BE_RETRAINED, TrainingResult
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from safetensors.numpy import load_file

import rasa_tokprune
from rasa_tokprune.components import features
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.encoder.encoder import Encoder
from tests.bots_on_disk import BOT
from tests.plans import write_plan

pytestmark = pytest.mark.thorough

PIPELINE = [
    {"name": "WhitespaceTokenizer"},
    {"name": "rasa_tokprune.TokPruneFeaturizer", "alias": "tokprune"},
    {"name": "rasa_tokprune.TokPruneIntentClassifier"},
]
TRAIN_NODES = {
    "train_rasa_tokprune.TokPruneFeaturizer1",
    "train_rasa_tokprune.TokPruneIntentClassifier2",
}
UNCHANGED = 0
Rasa = Callable[..., TrainingResult]
Create = Callable[..., Any]


def retrained(result: TrainingResult) -> List[str]:
    """Returns our nodes that a training would run again."""
    assert result.dry_run_results is not None
    assert set(result.dry_run_results) >= TRAIN_NODES
    return sorted(
        node
        for node, status in result.dry_run_results.items()
        if node in TRAIN_NODES and isinstance(status, FingerprintStatus) and not status.is_hit
    )


def test_an_unchanged_bot_is_not_trained_again(rasa_train: Rasa) -> None:
    assert rasa_train(PIPELINE, dry_run=True).code == CODE_NEEDS_TO_BE_RETRAINED
    assert rasa_train(PIPELINE).model
    again = rasa_train(PIPELINE, dry_run=True)
    assert again.code == UNCHANGED
    assert retrained(again) == []


def test_a_cached_training_gives_the_same_model(rasa_train: Rasa, count_forward: List[int]) -> None:
    first = rasa_train(PIPELINE)
    count_forward.clear()
    second = rasa_train(PIPELINE)
    assert Path(first.model).is_file()
    assert Path(second.model).is_file()
    assert count_forward == [], "nothing was encoded again"


@pytest.mark.parametrize(
    "change", [{"quantile": 0.2}, {"max_length": 16}, {"batch_size": 2}], ids=str
)
def test_changed_settings_train_again(rasa_train: Rasa, change: Dict[str, Any]) -> None:
    rasa_train(PIPELINE)
    changed = [{**item, **change} if "TokPrune" in item["name"] else item for item in PIPELINE]
    result = rasa_train(changed, dry_run=True)
    assert result.code == CODE_NEEDS_TO_BE_RETRAINED
    assert retrained(result) == sorted(TRAIN_NODES)


def test_an_edited_plan_file_trains_again(rasa_train: Rasa, plan_path: Path) -> None:
    rasa_train(PIPELINE)
    write_plan(plan_path, quantile=0.2)
    result = rasa_train(PIPELINE, dry_run=True)
    assert result.code == CODE_NEEDS_TO_BE_RETRAINED
    assert retrained(result) == sorted(TRAIN_NODES)


def test_other_weights_in_the_same_folder_train_again(
    rasa_train: Rasa, copy_of_tiny_bert: Path, new_checkpoint: Callable[..., Path]
) -> None:
    model = {"model": str(copy_of_tiny_bert)}
    pipeline = [{**item, **model} if "TokPrune" in item["name"] else item for item in PIPELINE]
    rasa_train(pipeline)
    assert rasa_train(pipeline, dry_run=True).code == UNCHANGED
    other = new_checkpoint(seed=1)
    shutil.copyfile(other / "model.safetensors", copy_of_tiny_bert / "model.safetensors")
    result = rasa_train(pipeline, dry_run=True)
    assert result.code == CODE_NEEDS_TO_BE_RETRAINED
    assert retrained(result) == sorted(TRAIN_NODES)


def test_an_upgrade_of_the_package_trains_again(
    rasa_train: Rasa, monkeypatch: pytest.MonkeyPatch
) -> None:
    rasa_train(PIPELINE)
    monkeypatch.setattr(rasa_tokprune, "__version__", "0.999.0")
    result = rasa_train(PIPELINE, dry_run=True)
    assert result.code == CODE_NEEDS_TO_BE_RETRAINED
    assert retrained(result) == sorted(TRAIN_NODES)


def test_changed_training_data_trains_again(rasa_train: Rasa, tmp_path: Path) -> None:
    rasa_train(PIPELINE)
    nlu = tmp_path / "nlu.yml"
    content = (BOT / "nlu.yml").read_text(encoding="utf-8")
    nlu.write_text(content.replace("- see you\n", "- see you tomorrow\n"), encoding="utf-8")
    result = rasa_train(PIPELINE, data=[nlu], dry_run=True)
    assert "train_rasa_tokprune.TokPruneIntentClassifier2" in retrained(result)


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> List[str]:
    """Returns a list that grows by every text that is encoded."""
    texts: List[str] = []
    original = Encoder.read

    def reading(encoder: Encoder, own: Sequence[str], **options: Any) -> Any:
        texts.extend(own)
        return original(encoder, own, **options)

    monkeypatch.setattr(Encoder, "read", reading)
    return texts


@pytest.fixture
def rasa_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Returns the folder of Rasa's cache, as it is during a training."""
    folder = tmp_path / "cache"
    folder.mkdir()
    monkeypatch.setenv("RASA_CACHE_DIRECTORY", str(folder))
    return folder


def examples_of(*texts: str) -> TrainingData:
    """Returns new messages, on which no component has left anything."""
    return TrainingData([Message.build(text, text.split()[0]) for text in texts])


OLD = ("ask where is it", "ask is it here", "tell it is here", "tell it was there")


def test_a_bot_that_gained_examples_encodes_no_old_one_again(
    create: Create, encoded: List[str], rasa_cache: Path
) -> None:
    create(TokPruneIntentClassifier).train(examples_of(*OLD))
    assert set(OLD) <= set(encoded)
    encoded.clear()
    create(TokPruneIntentClassifier).train(examples_of(*OLD, "ask what is new"))
    assert "ask what is new" in encoded
    assert not set(OLD) & set(encoded)


def test_kept_embeddings_give_the_same_model(
    create: Create, stored: Create, rasa_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = {}
    for name in ("first", "kept", "off"):
        if name == "off":
            monkeypatch.setenv("RASA_MAX_CACHE_SIZE", "0")
        create(TokPruneIntentClassifier).train(examples_of(*OLD))
        folder = stored(TokPruneIntentClassifier)
        trained[name] = {
            path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".json"
        }
    assert trained["first"] == trained["kept"] == trained["off"]
    assert trained["first"]


def test_what_is_kept_does_not_grow_without_end(
    create: Create, rasa_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(features, "_KEPT_TEXTS", 5)
    monkeypatch.setattr(features, "_KEPT_ENCODERS", 2)
    create(TokPruneIntentClassifier).train(examples_of(*OLD))
    create(TokPruneIntentClassifier).train(examples_of("ask another", "tell this", "tell that"))
    (path,) = (rasa_cache / "rasa_tokprune").iterdir()
    assert load_file(path)["digests"].shape == (3, 32)
    for length in (8, 9, 10):
        create(TokPruneIntentClassifier, max_length=length).train(examples_of(*OLD))
    assert len(list((rasa_cache / "rasa_tokprune").iterdir())) == 2


def test_a_damaged_file_of_them_is_no_reason_to_fail(
    create: Create, encoded: List[str], rasa_cache: Path
) -> None:
    create(TokPruneIntentClassifier).train(examples_of(*OLD))
    (path,) = (rasa_cache / "rasa_tokprune").iterdir()
    path.write_bytes(path.read_bytes()[:50])
    encoded.clear()
    create(TokPruneIntentClassifier).train(examples_of(*OLD))
    assert set(OLD) <= set(encoded)
