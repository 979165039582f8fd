"""What a trained component stores, and what it refuses to load (M10)."""

from __future__ import annotations

import gc
import json
import re
import shutil
from pathlib import Path
from typing import Any, Callable, List, Type

import numpy as np
import pytest
import structlog
from rasa.engine.graph import GraphComponent
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData
from safetensors.numpy import load as read_arrays

import rasa_tokprune
from rasa_tokprune.components import encoder_access
from rasa_tokprune.components.featurizer import TokPruneFeaturizer
from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from rasa_tokprune.encoder import PruningPlan, load_encoder, shared
from rasa_tokprune.encoder.backends import choice as backends
from rasa_tokprune.machine.checksums import CHECKSUM_FILE
from tests.components.checks import edit_json, one_line
from tests.plans import write_plan

Make = Callable[..., Any]
Folder = Callable[[Type[GraphComponent]], Path]


@pytest.mark.parametrize("bundle_encoder", [False, True])
def test_only_json_and_safetensors_are_stored(
    component_class: Type[GraphComponent],
    create: Make,
    stored: Folder,
    training_data: TrainingData,
    bundle_encoder: bool,
) -> None:
    create(component_class, bundle_encoder=bundle_encoder).train(training_data)
    files = [path for path in stored(component_class).rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        if path.suffix == ".json":
            json.loads(content)
        elif path.name == CHECKSUM_FILE:
            assert re.fullmatch(rb"([0-9a-f]{64}  [a-z.]+\n)+", content)
        else:
            assert path.suffix == ".safetensors"
            assert read_arrays(content)
    assert any(path.parent.name == "encoder" for path in files) is bundle_encoder


def test_weights_are_not_bundled_unless_asked(
    component_class: Type[GraphComponent],
    create: Make,
    stored: Folder,
    tiny_bert: Path,
    training_data: TrainingData,
) -> None:
    create(component_class).train(training_data)
    size = sum(path.stat().st_size for path in stored(component_class).rglob("*"))
    assert size < (tiny_bert / "model.safetensors").stat().st_size


def test_another_encoder_is_refused(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    training_data: TrainingData,
    new_checkpoint: Callable[..., Path],
) -> None:
    create(component_class).train(training_data)
    with pytest.raises(RasaException, match="trained with another encoder") as error:
        load(component_class, model=str(new_checkpoint(seed=3)))
    assert "train again" in one_line(error)


def test_another_max_length_is_refused(
    component_class: Type[GraphComponent], create: Make, load: Make, training_data: TrainingData
) -> None:
    create(component_class).train(training_data)
    with pytest.raises(RasaException, match="another pruning plan, max_length") as error:
        load(component_class, max_length=16)
    assert "train again" in one_line(error)


def test_another_stored_plan_is_refused(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    stored: Folder,
    training_data: TrainingData,
) -> None:
    create(component_class).train(training_data)
    record = stored(component_class) / "encoder.json"
    edit_json(record, lambda content: content["plan"].update(thresholds=[0.9, 0, 0, 0]))
    with pytest.raises(RasaException, match="another pruning plan"):
        load(component_class)


def test_prototypes_by_another_encoder_are_refused(
    create: Make, load: Make, stored: Folder, training_data: TrainingData
) -> None:
    create(TokPruneIntentClassifier).train(training_data)
    names = stored(TokPruneIntentClassifier) / "prototypes.json"
    edit_json(names, lambda content: content["provenance"].update(encoder_fingerprint="0" * 64))
    with pytest.raises(RasaException, match="another pruning plan"):
        load(TokPruneIntentClassifier)


def test_a_model_of_an_earlier_arithmetic_is_served_with_a_warning(
    create: Make, load: Make, stored: Folder, training_data: TrainingData
) -> None:
    settings = {"backend": "native", "precision": "int8"}
    create(TokPruneIntentClassifier, **settings).train(training_data)
    encoder = load(TokPruneIntentClassifier, **settings)._encoder
    assert encoder.fingerprint != encoder.fingerprint_with(1)
    earlier = encoder.fingerprint_with(1)
    folder = stored(TokPruneIntentClassifier)
    edit_json(folder / "encoder.json", lambda record: record.update(fingerprint=earlier))
    edit_json(
        folder / "prototypes.json",
        lambda content: content["provenance"].update(encoder_fingerprint=earlier),
    )
    (folder / CHECKSUM_FILE).unlink()  # earlier versions wrote none
    with structlog.testing.capture_logs() as logs:
        load(TokPruneIntentClassifier, **settings)
    warned = [log for log in logs if log["log_level"] == "warning"]
    assert [log["event"] for log in warned] == ["rasa_tokprune.trained_by_an_earlier_version"]
    assert "train again" in warned[0]["hint"]


def test_a_plan_file_edited_after_training_changes_nothing(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    plan_path: Path,
    training_data: TrainingData,
) -> None:
    create(component_class).train(training_data)
    trained_with = PruningPlan.load(plan_path).fingerprint()
    write_plan(plan_path, quantile=0.1, mode="drop")
    assert load(component_class)._encoder.plan.fingerprint() == trained_with


def test_a_model_keeps_the_default_plan_of_its_training(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    training_data: TrainingData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # An earlier default left short texts un-pruned.
    gated = PruningPlan(4, (0.0, 0.5, 0.0, 0.0), min_tokens=8, name="earlier")
    with monkeypatch.context() as earlier:
        earlier.setattr("rasa_tokprune.components.config.encoder.default_plan", lambda *_: gated)
        create(component_class, prune=None).train(training_data)
    assert load(component_class, prune=None)._encoder.plan == gated


def test_another_major_version_is_refused(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    training_data: TrainingData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(component_class).train(training_data)
    monkeypatch.setattr(rasa_tokprune, "__version__", "0.999.0")
    assert load(component_class) is not None, "another minor version is fine"
    monkeypatch.setattr(rasa_tokprune, "__version__", "999.0.0")
    with pytest.raises(RasaException, match=r"but 999\.0\.0 is installed") as error:
        load(component_class)
    assert "train again" in one_line(error)


def test_bundled_encoder_outlives_the_original_folder(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    copy_of_tiny_bert: Path,
    training_data: TrainingData,
    tokenize: Callable[..., List[Message]],
) -> None:
    settings = {"model": str(copy_of_tiny_bert), "bundle_encoder": True}
    trained = create(component_class, **settings)
    trained.train(training_data)
    before = trained.process(tokenize([Message.build("where is my parcel")]))[0]
    shutil.rmtree(copy_of_tiny_bert)
    after = load(component_class, **settings).process(
        tokenize([Message.build("where is my parcel")])
    )[0]
    assert after.get(INTENT) == before.get(INTENT)
    for one, other in zip(after.features, before.features):
        np.testing.assert_array_equal(one.features, other.features)


def test_without_bundling_a_lost_folder_is_named(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    copy_of_tiny_bert: Path,
    training_data: TrainingData,
) -> None:
    create(component_class, model=str(copy_of_tiny_bert)).train(training_data)
    shutil.rmtree(copy_of_tiny_bert)
    with pytest.raises(RasaException, match="copy-of-tiny-bert' does not exist") as error:
        load(component_class, model=str(copy_of_tiny_bert))
    one_line(error)


def forget_models(create: Make, new_checkpoint: Callable[..., Path]) -> None:
    """Makes this process drop the weights it shares, as a new process has none."""
    create(TokPruneFeaturizer, model=str(new_checkpoint(seed=99)))
    gc.collect()


def test_bundled_component_can_be_finetuned(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    new_checkpoint: Callable[..., Path],
    training_data: TrainingData,
) -> None:
    # `rasa train --finetune` loads from the storage and trains into the same folder.
    model = str(new_checkpoint(seed=4))
    create(component_class, model=model, bundle_encoder=True).train(training_data)
    forget_models(create, new_checkpoint)
    component = load(component_class, model=model, bundle_encoder=True)
    component.train(training_data)
    assert load(component_class, model=model, bundle_encoder=True)._encoder is not None


def test_a_server_that_loaded_a_bundle_can_train(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    stored: Folder,
    new_checkpoint: Callable[..., Path],
    training_data: TrainingData,
) -> None:
    # POST /model/train runs in the process that serves a model, whose files are deleted by then.
    model = str(new_checkpoint(seed=5))
    create(component_class, model=model, bundle_encoder=True).train(training_data)
    forget_models(create, new_checkpoint)
    serving = load(component_class, model=model, bundle_encoder=True)
    shutil.rmtree(stored(component_class))
    create(component_class, model=model, bundle_encoder=True).train(training_data)
    assert (stored(component_class) / "encoder" / "model.safetensors").is_file()
    assert serving._encoder.encode(["still serving"]).any()


def test_bundled_files_make_the_same_encoder(
    create: Make, stored: Folder, tiny_bert: Path, plan_path: Path, training_data: TrainingData
) -> None:
    create(TokPruneFeaturizer, bundle_encoder=True).train(training_data)
    bundle = load_encoder(
        str(stored(TokPruneFeaturizer) / "encoder"), prune=plan_path, precision="auto"
    )
    original = load_encoder(str(tiny_bert), prune=plan_path, precision="auto")
    assert bundle.fingerprint == original.fingerprint


def test_training_again_replaces_what_was_stored(
    create: Make, load: Make, training_data: TrainingData
) -> None:
    create(TokPruneIntentClassifier).train(training_data)
    only_bye = [e for e in training_data.intent_examples if e.get(INTENT) == "bye"]
    create(TokPruneIntentClassifier).train(TrainingData(only_bye))
    message = load(TokPruneIntentClassifier).process([Message({TEXT: "see you"})])[0]
    assert [entry["name"] for entry in message.get("intent_ranking")] == ["bye"]


@pytest.mark.needs("onnxruntime")
def test_a_model_goes_on_in_its_own_precision(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    stored: Folder,
    training_data: TrainingData,
) -> None:
    create(component_class, precision="fp32").train(training_data)
    path = stored(component_class) / "encoder.json"
    assert json.loads(path.read_text())["precision"] == "fp32"
    # As on a server where 'auto' means something else.
    assert load(component_class, precision="bf16")._encoder.model.precision.value == "fp32"

    def forget(record: Any) -> None:
        for key in ("precision", "backend", "saturates"):  # stored before there was a choice
            del record[key]

    edit_json(path, forget)
    path.with_name(CHECKSUM_FILE).unlink(missing_ok=True)  # nor this
    assert load(component_class)._encoder.model.precision.value == "fp32"


def test_a_gpu_on_the_server_changes_no_8_bit_model(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    training_data: TrainingData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(component_class, precision="int8", device="auto").train(training_data)
    monkeypatch.setattr(shared, "resolve_device", lambda d: "cuda:0" if d == "auto" else d)
    assert load(component_class, device="auto")._encoder.model.device == "cpu"


@pytest.mark.needs("onnxruntime")
def test_8_bit_products_that_come_out_otherwise_here_are_refused(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    training_data: TrainingData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(component_class, backend="onnx", precision="int8").train(training_data)
    trained_on = backends.saturates(backends.Backend.ONNX, backends.Precision.INT8)
    monkeypatch.setattr(encoder_access, "saturates", lambda *_: not trained_on)
    with pytest.raises(RasaException, match="without VNNI they saturate.* precision: fp32"):
        load(component_class)


@pytest.mark.needs("onnxruntime")
def test_a_server_without_the_models_backend_says_so(
    component_class: Type[GraphComponent],
    create: Make,
    load: Make,
    training_data: TrainingData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create(component_class, backend="onnx", precision="int8").train(training_data)
    assert load(component_class)._encoder.model.backend.value == "onnx"
    monkeypatch.setattr(backends, "has_onnx", lambda: False)
    with pytest.raises(RasaException, match=r"pip install 'rasa-tokprune\[onnx\]'.*fp32") as error:
        load(component_class)
    assert component_class.__name__ in one_line(error)
