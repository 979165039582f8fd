"""Stored files that are damaged, missing or do not fit: one clear line each, never a traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any, Callable, Dict, Type

import numpy as np
import pytest
from rasa.engine.graph import GraphComponent
from rasa.shared.exceptions import RasaException
from rasa.shared.nlu.training_data.training_data import TrainingData
from safetensors.numpy import load as read_arrays
from safetensors.numpy import save as write_arrays

from rasa_tokprune.components.intent_classifier import TokPruneIntentClassifier
from tests.components.checks import edit_json, one_line

Make = Callable[..., Any]
Folder = Callable[[Type[GraphComponent]], Path]

DAMAGES: Dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda content: b"",
    "truncated": lambda content: content[: len(content) // 2],
    "empty object": lambda content: b"{}",
    "null": lambda content: b"null",
    "list": lambda content: b"[]",
    "binary": lambda content: b"\x80\x04\x95\xff",
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
@pytest.mark.parametrize("name", ["encoder.json", "prototypes.json", "prototypes.safetensors"])
def test_a_damaged_file_gives_one_clear_line(
    create: Make,
    load: Make,
    stored: Folder,
    training_data: TrainingData,
    name: str,
    damage: Callable[[bytes], bytes],
) -> None:
    create(TokPruneIntentClassifier).train(training_data)
    path = stored(TokPruneIntentClassifier) / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(RasaException, match="cannot be read") as error:
        load(TokPruneIntentClassifier)
    assert "train again" in one_line(error)


@pytest.mark.parametrize("name", ["encoder.json", "prototypes.json", "prototypes.safetensors"])
def test_a_missing_file_gives_one_clear_line(
    create: Make, load: Make, stored: Folder, training_data: TrainingData, name: str
) -> None:
    create(TokPruneIntentClassifier).train(training_data)
    (stored(TokPruneIntentClassifier) / name).unlink()
    with pytest.raises(RasaException, match="cannot be read") as error:
        load(TokPruneIntentClassifier)
    assert "train again" in one_line(error)


WRONG_CONTENTS: Dict[str, Callable[[Dict[str, Any]], Any]] = {
    "no provenance": lambda names: names.pop("provenance"),
    "empty provenance": lambda names: names.update(provenance={}),
    "no version": lambda names: names["provenance"].update(plugin_version=None),
    "a class too few": lambda names: names["classes"].pop(),
    "a key too few": lambda names: names["keys"].pop(),
    "a class twice": lambda names: names["classes"].__setitem__(0, names["classes"][1]),
    "classes that are no names": lambda names: names.update(classes=[1, 2, 3, 4, 5]),
    "a temperature of NaN": lambda names: names.update(temperature=float("nan")),
    "no confidence map": lambda names: names.pop("confidence_map"),
    "a falling confidence map": lambda names: names["confidence_map"].update(slope=-1.0),
    "an offset too few": lambda names: names["confidence_map"]["offsets"].pop(),
    "class number out of range": lambda names: names.update(oos_classes=[99]),
}


@pytest.mark.parametrize("change", WRONG_CONTENTS.values(), ids=WRONG_CONTENTS.keys())
def test_contents_that_do_not_fit_give_one_clear_line(
    create: Make,
    load: Make,
    stored: Folder,
    training_data: TrainingData,
    change: Callable[[Dict[str, Any]], Any],
) -> None:
    create(TokPruneIntentClassifier).train(training_data)
    edit_json(stored(TokPruneIntentClassifier) / "prototypes.json", change)
    with pytest.raises(RasaException, match="train again") as error:
        load(TokPruneIntentClassifier)
    one_line(error)


WRONG_ARRAYS: Dict[str, Callable[[Dict[str, Any]], Any]] = {
    "one row of each": lambda arrays: arrays.update(
        {name: array[:1].copy() for name, array in arrays.items()}
    ),
    "weights of NaN": lambda arrays: arrays["weights"].fill(float("nan")),
    "starts of another type": lambda arrays: arrays.update(starts=arrays["starts"] + 0.0),
    "classes of another type": lambda arrays: arrays.update(class_of=arrays["class_of"] + 0.0),
    "a first start below zero": lambda arrays: arrays["starts"].__setitem__(0, -1),
    "sources beyond the examples": lambda arrays: arrays.update(sources=arrays["sources"] + 1000),
}


def change_arrays(path: Path, change: Callable[[Dict[str, Any]], Any]) -> None:
    """Rewrites a file of arrays with one of them changed."""
    before = read_arrays(path.read_bytes())
    arrays = {name: array.copy() for name, array in before.items()}
    change(arrays)
    path.write_bytes(write_arrays(arrays))


@pytest.mark.parametrize("change", WRONG_ARRAYS.values(), ids=WRONG_ARRAYS.keys())
def test_wrong_arrays_give_one_clear_line(
    create: Make,
    load: Make,
    stored: Folder,
    training_data: TrainingData,
    change: Callable[[Dict[str, Any]], Any],
) -> None:
    create(TokPruneIntentClassifier).train(training_data)
    change_arrays(stored(TokPruneIntentClassifier) / "prototypes.safetensors", change)
    with pytest.raises(RasaException, match="train again") as error:
        load(TokPruneIntentClassifier)
    one_line(error)


UNSEEN: Dict[str, Callable[[Dict[str, Any]], Any]] = {
    "one bit": lambda arrays: np.bitwise_xor.at(arrays["weights"].view("u1").reshape(-1), 0, 1),
    "examples in another order": lambda arrays: arrays.update(
        examples=arrays["examples"][::-1].copy()
    ),
}


@pytest.mark.parametrize("change", UNSEEN.values(), ids=UNSEEN.keys())
def test_arrays_that_could_be_right_but_are_not_those_of_the_training_are_refused(
    create: Make,
    load: Make,
    stored: Folder,
    training_data: TrainingData,
    change: Callable[[Dict[str, Any]], Any],
) -> None:
    create(TokPruneIntentClassifier).train(training_data)
    change_arrays(stored(TokPruneIntentClassifier) / "prototypes.safetensors", change)
    with pytest.raises(RasaException, match="is not the file that training stored there") as error:
        load(TokPruneIntentClassifier)
    assert "prototypes.safetensors" in one_line(error)


def test_a_model_without_checksums_loads(
    create: Make, load: Make, stored: Folder, training_data: TrainingData
) -> None:
    create(TokPruneIntentClassifier).train(training_data)
    (stored(TokPruneIntentClassifier) / "SHA256SUMS").unlink()  # as earlier versions stored it
    load(TokPruneIntentClassifier)


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EACCES])
def test_a_storage_that_cannot_be_written_gives_one_clear_line(
    component_class: Type[GraphComponent],
    create: Make,
    training_data: TrainingData,
    monkeypatch: pytest.MonkeyPatch,
    reason: int,
) -> None:
    component = create(component_class)

    def refuse(self: Path, *_: Any, **__: Any) -> None:
        raise OSError(reason, os.strerror(reason), str(self))

    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(RasaException, match=os.strerror(reason)) as error:
        component.train(training_data)
    assert "cannot be written" in one_line(error)


def test_a_model_of_another_user_is_one_line_with_path_and_reason(
    component_class: Type[GraphComponent],
    create: Make,
    training_data: TrainingData,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(path: Path) -> bool:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(RasaException) as error:
        create(component_class, model="/data/of/another").train(training_data)
    assert one_line(error).endswith("'/data/of/another': Permission denied")
