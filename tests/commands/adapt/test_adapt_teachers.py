"""A second teacher by the command line: an encoder, or a file of its embeddings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List

import numpy as np
import pytest

from rasa_tokprune.cli import main
from rasa_tokprune.encoder import load_encoder
from rasa_tokprune.encoder.adapters.adapter import Adapter
from tests.checkpoints import CORPUS

pytestmark = [pytest.mark.thorough, pytest.mark.needs("torch")]

History = Callable[[str], List[Dict[str, Any]]]
Provenance = Callable[[str], Dict[str, Any]]


def without_teacher(arguments: List[str]) -> List[str]:
    """Returns arguments with which an untrained student is right but for a second teacher."""
    return [*arguments, "--prune", "off", "--mash-share", "0"]


def test_a_second_teacher_is_learned_from(
    arguments: List[str],
    checkpoint: Callable[[str], Path],
    tmp_path: Path,
    history: History,
    provenance: Provenance,
) -> None:
    teacher, own = checkpoint("mpnet"), without_teacher(arguments)
    louder = ["--own-weight", "0", "--similarity-weight", "1000", "--learning-rate", "0.002"]
    assert main([*own, "--teacher", str(teacher), "--steps", "40", *louder]) == 0
    assert main([*own, "--out", str(tmp_path / "alone")]) == 0
    none = [*own, "--teacher", str(teacher), "--teacher-share", "0"]
    assert main([*none, "--out", str(tmp_path / "none")]) == 0
    identity = load_encoder(str(teacher)).model.identity
    assert provenance("own")["teacher"].startswith(f"{teacher.name} ")
    assert provenance("own")["teacher"].endswith(", share 0.5")
    assert len(provenance("own")["teacher"].split()[1]) == len(identity) + 1
    assert "teacher" not in provenance("alone")
    taught, alone, unheard = (history(name) for name in ("own", "alone", "none"))
    # Un-pruned and untrained the student answers as its own encoder does, not as both joined.
    assert taught[0]["similarity"] > 1e-5
    for looks in (alone, unheard):
        assert looks[0]["similarity"] < 1e-6
    assert min(entry["similarity"] for entry in taught) < 0.5 * taught[0]["similarity"]


def test_teachers_encode_once(
    arguments: List[str], checkpoint: Callable[[str], Path], tmp_path: Path, encoded: List[str]
) -> None:
    own = [*arguments, "--teacher", str(checkpoint("mpnet"))]
    assert main(own) == 0
    assert set(CORPUS) <= set(encoded)
    assert {encoded.count(text) for text in CORPUS} == {2}, "once each"
    encoded.clear()
    assert main([*own, "--out", str(tmp_path / "again"), "--learning-rate", "0.002"]) == 0
    assert encoded == []


def test_a_file_of_embeddings_is_as_good_as_the_encoder(
    arguments: List[str],
    checkpoint: Callable[[str], Path],
    tmp_path: Path,
    encoded: List[str],
    history: History,
    provenance: Provenance,
    refusal: Callable[[List[str]], str],
) -> None:
    folder = tmp_path / "cache" / "embeddings"
    assert main([*arguments, "--out", str(tmp_path / "alone")]) == 0
    before = set(folder.iterdir())
    assert main([*arguments, "--teacher", str(checkpoint("mpnet"))]) == 0
    (kept,) = set(folder.iterdir()) - before
    file = Path(shutil.copy(kept, tmp_path / "mpnet.safetensors"))
    encoded.clear()
    own = [*arguments, "--out", str(tmp_path / "file"), "--teacher", str(file)]
    assert main(own) == 0
    assert encoded == []
    assert history("file") == history("own")
    first, second = (
        Adapter.load(tmp_path / name / "adapter.safetensors") for name in ("own", "file")
    )
    for name, tensor in first.tensors.items():
        np.testing.assert_array_equal(tensor, second.tensors[name])
    assert provenance("file")["teacher"].startswith("mpnet.safetensors ")
    # Other long texts are not in it.
    line = refusal([*own, "--seed", "1", "--out", str(tmp_path / "other")])
    assert "compute it for the same texts, concatenations and seed, or name the encoder" in line
    file.write_bytes(file.read_bytes()[:100])
    assert "holds no embeddings" in refusal([*own, "--out", str(tmp_path / "damaged")])
