"""What teachers made of texts: encoded once, or read from a file."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest
from safetensors.numpy import save_file

from rasa_tokprune.commands.adapt.teachers import Targets, encode_targets, read_targets
from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.errors import ConfigError
from rasa_tokprune.texts.embeddings import read_embeddings
from tests.checkpoints import CORPUS

OWN = {"a": np.array([3.0, 0.0]), "b": np.array([0.0, 0.5]), "mash": np.array([1.0, 1.0])}
OTHER = {"b": np.array([0.0, 7.0, 0.0]), "a": np.array([2.0, 0.0, 0.0])}


def write_embeddings(path: Path, vectors: Dict[str, np.ndarray], dtype: Any = np.float32) -> Path:
    digests = [np.frombuffer(hashlib.sha256(text.encode()).digest(), np.uint8) for text in vectors]
    arrays = {"digests": np.stack(digests), "vectors": np.stack(list(vectors.values()))}
    save_file({**arrays, "vectors": arrays["vectors"].astype(dtype)}, path)
    return path


def test_targets_are_directions() -> None:
    targets = Targets.of(OWN, OTHER, 0.25)
    rows = targets.rows(["mash", "b", "a", "a"])
    half = 0.5**0.5
    np.testing.assert_allclose(targets.own[rows], [[half] * 2, [0, 1], [1, 0], [1, 0]], atol=1e-3)
    assert targets.other is not None
    # Of the last text the second teacher was not asked.
    assert targets.other[rows].tolist() == [[0, 0, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]]
    assert targets.share == 0.25
    assert Targets.of(OWN).other is None


def test_a_text_of_zeros_stays_so() -> None:
    assert Targets.of({"": np.zeros(3), "a": np.ones(3)}).own[0].tolist() == [0.0, 0.0, 0.0]


def test_texts_are_encoded_once(
    tiny_bert: Path, tmp_path: Path, encoded: List[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RASA_TOKPRUNE_CACHE", str(tmp_path / "cache"))
    encoder = load_encoder(str(tiny_bert))
    first = encode_targets(encoder, [*CORPUS[:4], "asdf"], False)
    assert sorted(encoded) == sorted([*CORPUS[:4], "asdf"])
    encoded.clear()
    again = encode_targets(encoder, [*CORPUS[:5], CORPUS[0]], False)
    assert encoded == [CORPUS[4]]
    assert list(again) == CORPUS[:5]
    for text in CORPUS[:4]:
        np.testing.assert_array_equal(first[text], again[text])
    np.testing.assert_allclose(np.stack(list(again.values())), encoder.encode(CORPUS[:5]), 0, 1e-6)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_a_file_of_embeddings_is_read(tmp_path: Path, dtype: Any) -> None:
    path = write_embeddings(tmp_path / "teacher.safetensors", OTHER, dtype)
    found = read_targets(path, ["a", "b", "a"])
    lists = {text: vector.tolist() for text, vector in found.items()}
    assert lists == {"a": [2.0, 0.0, 0.0], "b": [0.0, 7.0, 0.0]}
    assert list(read_embeddings(path, ["c", "b"])) == ["b"]


def test_a_file_that_lacks_texts_is_refused(tmp_path: Path) -> None:
    path = write_embeddings(tmp_path / "teacher.safetensors", OTHER)
    with pytest.raises(ConfigError, match="holds embeddings of 2 of 4 texts; compute it for"):
        read_targets(path, ["a", "b", "c", "d", "d"])


def broken(path: Path, name: str) -> None:
    good = {"digests": np.zeros((2, 32), np.uint8), "vectors": np.zeros((2, 4), np.float32)}
    arrays = {
        "lacks a tensor": {"vectors": good["vectors"]},
        "fewer vectors": {**good, "vectors": good["vectors"][:1]},
        "flat vectors": {**good, "vectors": np.zeros(2, np.float32)},
        "short digests": {**good, "digests": np.zeros((2, 16), np.uint8)},
    }
    if name in arrays:
        save_file(arrays[name], path)
    else:
        path.write_text("nonsense")


@pytest.mark.parametrize(
    "name", ["lacks a tensor", "fewer vectors", "flat vectors", "short digests", "no such format"]
)
def test_a_file_of_something_else_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "teacher.safetensors"
    broken(path, name)
    with pytest.raises(ConfigError, match="teacher.safetensors' holds no embeddings"):
        read_embeddings(path, ["a"])


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    vectors = {"a": np.array([1.0, np.nan]), "b": np.array([1.0, 0.0])}
    path = write_embeddings(tmp_path / "teacher.safetensors", vectors)
    with pytest.raises(ConfigError, match="holds embeddings with NaN or infinite values"):
        read_embeddings(path, ["a", "b"])
    assert list(read_embeddings(path, ["b"])) == ["b"]


def test_two_encoders_of_other_sizes_teach_together(checkpoint: Callable[[str], Path]) -> None:
    own, other = (load_encoder(str(checkpoint(name))) for name in ("bert", "mpnet"))
    by_text = [dict(zip(CORPUS, encoder.encode(CORPUS))) for encoder in (own, other)]
    targets = Targets.of(by_text[0], {text: v[:20] for text, v in by_text[1].items()}, 0.5)
    assert targets.other is not None
    assert (tuple(targets.own.shape), tuple(targets.other.shape)) == ((8, 32), (8, 20))
    for rows in (targets.own, targets.other):
        np.testing.assert_allclose(np.linalg.norm(rows.float(), axis=1), 1.0, atol=1e-3)
