"""The lexical view on disk: a round trip, older models, damaged files, its size."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, Callable, Dict

import numpy as np
import pytest
from safetensors.numpy import load, save

from rasa_tokprune.errors import StorageError
from rasa_tokprune.fewshot import (
    Messages,
    PrototypeClassifier,
    SupportSet,
    load_prototypes,
    save_prototypes,
)
from rasa_tokprune.fewshot.storage import (
    ARRAYS_FILE,
    LEXICAL_ARRAYS_FILE,
    LEXICAL_NAMES_FILE,
    NAMES_FILE,
)
from rasa_tokprune.fewshot.views import fit_views

TEXTS = [
    "yes",
    "👍",
    "yes, please",
    "no",
    "👎",
    "no thanks",
    "再见",
    "bye \ud800",
    "gute nacht 'ß'",
]
LABELS = ["affirm"] * 3 + ["deny"] * 3 + ["bye"] * 3
READABLE = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.0, 0.7, 1.0])
VECTORS = np.random.default_rng(0).normal(size=(9, 6)).astype(np.float32)
FILES = (LEXICAL_ARRAYS_FILE, LEXICAL_NAMES_FILE)
FORMAT_2_ARRAYS = (
    "class_of", "prototypes", "weights", "biases", "starts", "examples", "tightness", "rows",
    "sources",
)  # fmt: skip


def fit(**changes: Any) -> PrototypeClassifier:
    given: Dict[str, Any] = {"texts": TEXTS, "readable": READABLE, **changes}
    return PrototypeClassifier.fit(VECTORS, LABELS, **given)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Returns the folder of a stored classifier with both views."""
    save_prototypes(fit(), tmp_path, {}, examples=TEXTS)
    return tmp_path


def test_decisions_survive_bit_for_bit(folder: Path) -> None:
    classifier, (loaded, _) = fit(), load_prototypes(folder)
    assert loaded.lexical is not None
    assert classifier.lexical is not None
    assert loaded.lexical.vocabulary.ngrams == classifier.lexical.vocabulary.ngrams
    assert loaded.lexical.weight == classifier.lexical.weight
    asked = Messages(
        np.random.default_rng(1).normal(size=(12, 6)),
        [*TEXTS, "unheard of", "", "no no 👍"],
        np.append(READABLE, [1.0, 0.0, 0.6]),
    )
    for row in range(len(asked)):
        given = (asked.embeddings[row], asked.text(row), asked.readable_share(row))
        one, other = classifier.decide(*given), loaded.decide(*given)
        assert one.margin == other.margin
        np.testing.assert_array_equal(one.confidences, other.confidences)
        np.testing.assert_array_equal(one.scores.class_scores, other.scores.class_scores)
        np.testing.assert_array_equal(one.order, other.order)


@pytest.mark.parametrize("readable", [1.0, 0.0])
def test_a_shared_text_stays_at_one_half(tmp_path: Path, readable: float) -> None:
    vectors, shares = np.vstack([VECTORS, VECTORS[3], VECTORS[3]]), np.append(READABLE, [1, 1])
    texts, labels = [*TEXTS, "no", "hi"], [*LABELS, "affirm", "bye"]
    shares[[3, 9]] = readable
    classifier = PrototypeClassifier.fit(vectors, labels, texts=texts, readable=shares)
    save_prototypes(classifier, tmp_path, {})
    loaded, _ = load_prototypes(tmp_path)
    top = loaded.rank(vectors[3], 1, text="no", readable=readable)
    assert top == classifier.rank(vectors[3], 1, text="no", readable=readable)
    assert top[0][1] <= 0.5


def test_a_model_of_format_2_decides_by_embeddings_alone(tmp_path: Path) -> None:
    plain = PrototypeClassifier.fit(VECTORS, LABELS)
    save_prototypes(plain, tmp_path, {"encoder_fingerprint": "abc"})
    # As version 0.2 wrote it.
    names = json.loads((tmp_path / NAMES_FILE).read_text())
    del names["has_lexical_view"]
    (tmp_path / NAMES_FILE).write_text(json.dumps({**names, "format_version": 2}))
    arrays = load((tmp_path / ARRAYS_FILE).read_bytes())
    arrays = {name: arrays[name] for name in FORMAT_2_ARRAYS}
    (tmp_path / ARRAYS_FILE).write_bytes(save(arrays))
    loaded, provenance = load_prototypes(tmp_path)
    assert provenance == {"encoder_fingerprint": "abc"}
    assert loaded.lexical is None
    queries = np.random.default_rng(1).normal(size=(20, 6))
    # Calibrated with another weight, its in-scope scores are those of then.
    then = dataclasses.replace(plain, head=dataclasses.replace(plain.head, cosine_weight=5.0))
    expected = then.predict_proba(queries)
    assert np.abs(expected - plain.predict_proba(queries)).max() > 0.01
    np.testing.assert_array_equal(loaded.predict_proba(queries), expected)
    asked = Messages(queries, ["no"] * 20, np.zeros(20))
    np.testing.assert_array_equal(loaded.predict_proba(asked), expected)


def refused(folder: Path) -> str:
    with pytest.raises(StorageError, match="cannot be read .*; train again") as caught:
        load_prototypes(folder)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff\xfe garbage", b"null"])
def test_a_damaged_file_is_refused(folder: Path, file: str, content: bytes) -> None:
    (folder / file).write_bytes(content)
    refused(folder)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(folder: Path, file: str, share: float) -> None:
    content = (folder / file).read_bytes()
    (folder / file).write_bytes(content[: int(share * len(content))])
    refused(folder)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_refused(folder: Path, file: str) -> None:
    (folder / file).unlink()
    assert "No such file" in refused(folder)


def test_two_files_in_each_others_place_are_refused(folder: Path) -> None:
    contents = [(folder / file).read_bytes() for file in FILES]
    for file, content in zip(FILES, contents[::-1]):
        (folder / file).write_bytes(content)
    refused(folder)


@pytest.mark.parametrize("files", [FILES, FILES[:1], FILES[1:]])
def test_files_of_another_bot_are_refused(
    folder: Path, files: tuple, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    texts = [f"word{row}" for row in range(8)]
    bot = PrototypeClassifier.fit(VECTORS[:8], ["a", "b", "c", "d"] * 2, texts=texts)
    save_prototypes(bot, other, {})
    for file in files:
        (folder / file).write_bytes((other / file).read_bytes())
    refused(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"weight": None},
        {"weight": -1},
        {"weight": "x"},
        {"unknown_idf": 0},
        {"ngrams": 3},
        {"ngrams": ["yes"]},
        {"ngrams": "abc"},
    ],
)
def test_names_that_make_no_sense_are_refused(folder: Path, changes: Dict[str, Any]) -> None:
    path = folder / LEXICAL_NAMES_FILE
    names = json.loads(path.read_text(encoding="utf-8", errors="surrogatepass"))
    path.write_text(json.dumps({**names, **changes}))
    refused(folder)


@pytest.mark.parametrize("name", ["weights", "idf"])
def test_numbers_that_make_no_sense_are_refused(folder: Path, name: str) -> None:
    arrays = load((folder / LEXICAL_ARRAYS_FILE).read_bytes())
    for damaged in (np.full_like(arrays[name], np.nan), arrays[name][1:], arrays[name][None]):
        (folder / LEXICAL_ARRAYS_FILE).write_bytes(save({**arrays, name: damaged}))
        refused(folder)


@pytest.mark.parametrize("changes", [{"lexical_weight": 0}, {"texts": None}])
def test_no_file_is_left_over_from_an_earlier_training(
    folder: Path, changes: Dict[str, Any]
) -> None:
    assert all((folder / file).is_file() for file in FILES)
    save_prototypes(fit(**changes), folder, {})
    assert not any((folder / file).exists() for file in FILES)
    assert load_prototypes(folder)[0].lexical is None


@pytest.mark.thorough
def test_a_large_bot_of_words_adds_five_megabytes_at_most(around: Callable, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    vectors, labels = around(150, 67, size=8)
    vectors, labels = vectors[:10_000], labels[:10_000]
    syllables = ["ka", "lo", "mi", "ne", "ru", "so", "ta", "vi", "xu", "ze"]
    texts = [
        " ".join("".join(rng.choice(syllables, 3)) for _ in range(rng.integers(2, 8)))
        for _ in labels
    ]
    views = fit_views(SupportSet.of(vectors, labels, texts=texts))
    small = PrototypeClassifier.fit(*around(150, 2, size=8))
    sizes = []
    for lexical in (None, views.lexical):
        save_prototypes(dataclasses.replace(small, lexical=lexical), tmp_path, {})
        sizes.append(sum(path.stat().st_size for path in tmp_path.iterdir()))
    assert 0 < sizes[1] - sizes[0] <= 5_000_000
    assert load_prototypes(tmp_path)[0].lexical is not None
