"""Losses that a reader can work out."""

from __future__ import annotations

import math

import pytest
import torch

from rasa_tokprune.commands.adapt.training.losses import (
    contrastive_loss,
    distances,
    similarity_loss,
    teachers_similarities,
)

X, Y = [1.0, 0.0], [0.0, 1.0]
# Of a text whose twin is as near as can be and whose stranger is at a right angle.
TOLD_APART = -math.log(math.e / (math.e + 1))


def contrast(embeddings: list, labels: list, tasks: list, temperature: float = 1.0) -> float:
    numbers = torch.tensor(labels), torch.tensor(tasks)
    return float(contrastive_loss(torch.tensor(embeddings), *numbers, temperature))


def test_distances() -> None:
    found = distances(torch.tensor([X, X, X]), torch.tensor([X, Y, [-1.0, 0.0]]))
    assert found.tolist() == [0.0, 1.0, 2.0]


def test_similarity_loss() -> None:
    assert similarity_loss(torch.tensor([X, Y]), torch.eye(2)) == 0
    # Both on one axis: similarity 1 where 0 is wanted, in two of four places.
    assert similarity_loss(torch.tensor([X, X]), torch.eye(2)) == 0.5


def test_one_teacher_alone_says_its_own_similarities() -> None:
    own = torch.tensor([X, X, Y])
    expected = torch.tensor([[1.0, 1, 0], [1, 1, 0], [0, 0, 1]])
    assert torch.equal(teachers_similarities(own, None, 0.5, 0), expected)
    assert torch.equal(teachers_similarities(own, None, 0.5, 2), expected)


def test_two_teachers_say_a_weighted_mean_but_not_of_mash() -> None:
    # To the first, texts 1 and 2 are the same; to the second, texts 1 and 3. The last is mash.
    own = torch.tensor([X, X, Y, X])
    other = torch.tensor([[1.0, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 0]])
    found = teachers_similarities(own, other, 0.25, 1)
    expected = [
        [1.0, 0.75, 0.25, 1.0],
        [0.75, 1.0, 0.0, 1.0],
        [0.25, 0.0, 1.0, 0.0],
        [1.0, 1.0, 0.0, 1.0],
    ]
    assert found.tolist() == expected
    assert torch.equal(teachers_similarities(own, other, 0.0, 1), own @ own.T)
    alone = teachers_similarities(own, other, 1.0, 0)
    assert torch.equal(alone, other @ other.T)


def test_contrast_of_one_task() -> None:
    # The third stands alone. First and second: e / (e + 1) for each other.
    assert contrast([X, X, Y], [0, 0, 1], [5, 5, 5]) == pytest.approx(TOLD_APART)
    half = -math.log(math.e**2 / (math.e**2 + 1))
    assert contrast([X, X, Y], [0, 0, 1], [5, 5, 5], 0.5) == pytest.approx(half)


def test_texts_of_two_tasks_are_not_told_apart() -> None:
    # Another task's text lies on the first's: nothing changes. Among themselves its two are told
    # apart from nothing, which costs nothing, so the mean over the four counted ones halves.
    one = contrast([X, X, Y, X], [0, 0, 1, 2], [0, 0, 0, 1])
    assert one == pytest.approx(TOLD_APART)
    pair = contrast([X, X, Y, X, X], [0, 0, 1, 2, 2], [0, 0, 0, 1, 1])
    assert pair == pytest.approx(TOLD_APART / 2)
    both = contrast([X, X, Y, X, X, Y], [0, 0, 1, 2, 2, 3], [0, 0, 0, 1, 1, 1])
    assert both == pytest.approx(TOLD_APART)


def test_a_text_alone_in_its_task_leaves_gradients_finite() -> None:
    embeddings = torch.tensor([X, X, Y, X], requires_grad=True)
    labels, tasks = torch.tensor([0, 0, 1, 2]), torch.tensor([0, 0, 0, 1])
    contrastive_loss(embeddings, labels, tasks, 0.07).backward()
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()
    assert embeddings.grad[0].any()
    assert not embeddings.grad[3].any()


def test_nothing_to_contrast_is_no_loss() -> None:
    assert contrast([X, Y], [0, 1], [0, 0]) == 0.0
    assert contrast([X], [0], [0]) == 0.0
