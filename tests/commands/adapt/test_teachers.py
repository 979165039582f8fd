"""Targets joined of two encoders: their similarities, in the student's space."""

from __future__ import annotations

from typing import Dict

import numpy as np
import pytest

from rasa_tokprune.commands.adapt.teachers import join_teachers

N_TEXTS, OWN, OTHER = 200, 12, 20


def unit(vectors: np.ndarray) -> np.ndarray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def by_text(vectors: np.ndarray) -> Dict[str, np.ndarray]:
    return {f"text {number}": vector for number, vector in enumerate(vectors)}


@pytest.fixture
def vectors() -> Dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    meaning = rng.normal(size=(N_TEXTS, 6))
    return {
        "own": unit(meaning @ rng.normal(size=(6, OWN)) + 0.3 * rng.normal(size=(N_TEXTS, OWN))),
        "other": unit(meaning @ rng.normal(size=(6, OTHER))),
    }


def join(vectors: Dict[str, np.ndarray], share: float) -> np.ndarray:
    found = join_teachers(by_text(vectors["own"]), by_text(vectors["other"]), share)
    assert list(found) == list(by_text(vectors["own"]))
    return np.stack(list(found.values()))


def test_without_a_share_the_second_teacher_changes_nothing(vectors: Dict[str, np.ndarray]) -> None:
    np.testing.assert_allclose(join(vectors, 0.0), vectors["own"], atol=1e-6)


def test_similarities_are_those_of_the_ensemble(vectors: Dict[str, np.ndarray]) -> None:
    targets = join(vectors, 0.5)
    wanted = sum(vectors[name] @ vectors[name].T for name in ("own", "other")) / 2
    assert targets.shape == vectors["own"].shape
    assert np.abs(targets @ targets.T - wanted).mean() < 0.03
    only_own = vectors["own"] @ vectors["own"].T
    assert np.abs(only_own - wanted).mean() > 0.1


def test_targets_lie_near_the_students_own(vectors: Dict[str, np.ndarray]) -> None:
    cosines = (join(vectors, 0.5) * vectors["own"]).sum(axis=1)
    turned = vectors["other"][:, :OWN]
    assert cosines.mean() > 0.85 > (unit(turned) * vectors["own"]).sum(axis=1).mean()


def test_lengths_do_not_matter(vectors: Dict[str, np.ndarray]) -> None:
    longer = {**vectors, "other": 7 * vectors["other"]}
    np.testing.assert_allclose(join(longer, 0.5), join(vectors, 0.5), atol=1e-6)
