"""Prototypes survive a round trip; damaged files say so."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from rasa_tokprune.errors import StorageError
from rasa_tokprune.fewshot import (
    PrototypeClassifier,
    load_examples,
    load_prototypes,
    save_prototypes,
)
from rasa_tokprune.fewshot.storage import ARRAYS_FILE, EXAMPLES_FILE, NAMES_FILE, REPORT_FILE


@pytest.fixture
def classifier() -> PrototypeClassifier:
    support = np.random.default_rng(0).normal(size=(9, 5))
    keys = ["faq/ä", "faq/b", "greet 👋"] * 3
    return PrototypeClassifier.fit(support, [key.split("/")[0] for key in keys], keys)


def test_round_trip(classifier: PrototypeClassifier, tmp_path: Path) -> None:
    save_prototypes(classifier, tmp_path, {"encoder_fingerprint": "abc"})
    loaded, provenance = load_prototypes(tmp_path)
    query = np.random.default_rng(1).normal(size=(20, 5))
    assert provenance == {"encoder_fingerprint": "abc"}
    assert loaded.classes == classifier.classes
    assert loaded.keys == classifier.keys
    np.testing.assert_array_equal(loaded.predict_proba(query), classifier.predict_proba(query))
    np.testing.assert_array_equal(loaded.similarity(query), classifier.similarity(query))
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [EXAMPLES_FILE, NAMES_FILE, ARRAYS_FILE]


def test_loaded_arrays_do_not_need_the_file(
    classifier: PrototypeClassifier, tmp_path: Path
) -> None:
    save_prototypes(classifier, tmp_path, {})
    loaded, _ = load_prototypes(tmp_path)
    (tmp_path / ARRAYS_FILE).write_bytes(b"\0" * 10)
    np.testing.assert_array_equal(loaded.prototypes, classifier.prototypes)


@pytest.mark.parametrize("file", [NAMES_FILE, ARRAYS_FILE])
@pytest.mark.parametrize("content", [b"", b"{}", b"\xff\xfe garbage"])
def test_damaged_files(
    classifier: PrototypeClassifier, tmp_path: Path, file: str, content: bytes
) -> None:
    save_prototypes(classifier, tmp_path, {})
    (tmp_path / file).write_bytes(content)
    with pytest.raises(StorageError, match="cannot be read .*; train again"):
        load_prototypes(tmp_path)


def test_other_format_is_refused(classifier: PrototypeClassifier, tmp_path: Path) -> None:
    save_prototypes(classifier, tmp_path, {})
    names = json.loads((tmp_path / NAMES_FILE).read_text())
    (tmp_path / NAMES_FILE).write_text(json.dumps({**names, "format_version": 99}))
    with pytest.raises(StorageError, match="has format 99, expected 3"):
        load_prototypes(tmp_path)


def test_unwritable_folder(classifier: PrototypeClassifier, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be written to .*No such file"):
        save_prototypes(classifier, tmp_path / "missing", {})


def test_examples_and_report_are_stored_as_json(
    classifier: PrototypeClassifier, tmp_path: Path
) -> None:
    texts = ["héllo", "a \ud800 lone surrogate", "👋"]
    save_prototypes(classifier, tmp_path, {}, examples=texts, report={"accuracy": 0.5})
    assert load_examples(tmp_path) == texts
    assert json.loads((tmp_path / REPORT_FILE).read_text()) == {"accuracy": 0.5}
    (tmp_path / EXAMPLES_FILE).write_text("3")
    with pytest.raises(StorageError, match="examples in .* cannot be read .*; train again"):
        load_examples(tmp_path)
