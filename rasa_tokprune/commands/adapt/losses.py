"""What the student is asked for."""

from __future__ import annotations

import torch
from torch import Tensor


def distillation_loss(student: Tensor, teacher: Tensor) -> Tensor:
    """Returns how far embeddings lie from the teacher's, and their similarities from its.

    1 - cosine, plus the squared difference of the similarities within the batch (Tung and Mori,
    "Similarity-preserving knowledge distillation", 2019, there with other norms).

    Args:
        student: Unit-length embeddings, (batch_size, d).
        teacher: Of the same texts, unit-length too, (batch_size, d).
    """
    away = 1.0 - (student * teacher).sum(dim=1).mean()
    difference = student @ student.T - teacher @ teacher.T  # (b, b)
    return away + (difference**2).mean()


def contrastive_loss(embeddings: Tensor, targets: Tensor, temperature: float) -> Tensor:
    """Returns the supervised contrastive loss.

    Source: Khosla et al., "Supervised contrastive learning" (2020), equation 2.

    Args:
        embeddings: Unit-length, (batch_size, d).
        targets: Class of each, (batch_size,); one that stands alone counts as nothing.
        temperature: Divides the cosines.
    """
    itself = torch.eye(len(targets), dtype=torch.bool, device=targets.device)
    logits = (embeddings @ embeddings.T / temperature).masked_fill(itself, -torch.inf)
    log_shares = logits - logits.logsumexp(dim=1, keepdim=True)
    is_positive = (targets[:, None] == targets[None, :]) & ~itself
    chosen = log_shares.masked_fill(~is_positive, 0.0).sum(dim=1)
    n_positive = is_positive.sum(dim=1)
    return -(chosen / n_positive.clamp(min=1))[n_positive > 0].mean()
