"""What the student is asked for."""

from __future__ import annotations

from typing import Optional

import torch
from torch import Tensor


def distances(student: Tensor, teacher: Tensor) -> Tensor:
    """Returns 1 - cosine of each pair, (batch_size,).

    Args:
        student: Unit-length embeddings, (batch_size, d).
        teacher: Of the same texts, unit-length too, (batch_size, d).
    """
    return 1.0 - (student * teacher).sum(dim=1)


def similarity_loss(student: Tensor, wanted: Tensor) -> Tensor:
    """Returns the mean squared difference of the similarities within a batch from those wanted.

    Source: Tung and Mori, "Similarity-preserving knowledge distillation" (2019), there with other
    norms.

    Args:
        student: Unit-length embeddings, (batch_size, d).
        wanted: (batch_size, batch_size).
    """
    return ((student @ student.T - wanted) ** 2).mean()


def teachers_similarities(
    own: Tensor, other: Optional[Tensor], share: float, n_own_alone: int
) -> Tensor:
    """Returns the cosines that two teachers see, (batch_size, batch_size), as a weighted mean.

    Args:
        own: Unit-length embeddings of the first, (batch_size, d).
        other: Of the second, unit-length too, (batch_size, e); None leaves the first alone.
        share: Of the second, in [0, 1].
        n_own_alone: How many texts at the end the first teaches alone.
    """
    seen = own @ own.T
    if other is None:
        return seen
    both = len(own) - n_own_alone
    joint = (1 - share) * seen[:both, :both] + share * (other[:both] @ other[:both].T)
    wanted = seen.clone()
    wanted[:both, :both] = joint
    return wanted


def contrastive_loss(
    embeddings: Tensor, labels: Tensor, tasks: Tensor, temperature: float
) -> Tensor:
    """Returns the supervised contrastive loss within each task.

    Source: Khosla et al., "Supervised contrastive learning" (2020), equation 2.

    Args:
        embeddings: Unit-length, (batch_size, d).
        labels: Class of each, (batch_size,); one that stands alone counts as nothing.
        tasks: Task of each, (batch_size,): texts of two tasks are not told apart.
        temperature: Divides the cosines.
    """
    itself = torch.eye(len(labels), dtype=torch.bool, device=labels.device)
    unseen = itself | (tasks[:, None] != tasks[None, :])
    logits = (embeddings @ embeddings.T / temperature).masked_fill(unseen, -torch.inf)
    log_shares = logits - logits.logsumexp(dim=1, keepdim=True)
    is_positive = (labels[:, None] == labels[None, :]) & ~unseen
    chosen = log_shares.masked_fill(~is_positive, 0.0).sum(dim=1)
    n_positive = is_positive.sum(dim=1)
    counted = n_positive > 0
    return -(chosen / n_positive.clamp(min=1)).sum() / counted.sum().clamp(min=1)
