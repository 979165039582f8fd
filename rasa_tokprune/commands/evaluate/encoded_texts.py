"""All texts of an evaluation, encoded by one encoder, with what each cost."""

from __future__ import annotations

import dataclasses
from typing import Dict, Optional, Sequence

import numpy as np

from rasa_tokprune.encoder import Encoder, ThresholdKind
from rasa_tokprune.encoder.plans.cost import plan_cost
from rasa_tokprune.fewshot import Messages


@dataclasses.dataclass(frozen=True)
class EncodedTexts:
    """Embeddings of all texts of an evaluation, by one encoder.

    Attributes:
        model: Name of the encoder in results.
        plan: Name of its plan in results.
        min_tokens: The plan prunes no shorter text.
        precision: Number format it ran in.
        backend: What ran it.
        vectors: Embedding, (d,), of each text; zeros for text without content.
        readable: Share of each text that the encoder can read, in [0, 1].
        costs: Token-layers of each text as a share of the un-pruned encoder's; None if a plan of
            absolute thresholds decides.
        adapter: Name of the adapter in the weights; None is none.
    """

    model: str
    plan: str
    min_tokens: int
    precision: str
    backend: str
    vectors: Dict[str, np.ndarray]
    readable: Dict[str, float]
    costs: Optional[Dict[str, float]] = None
    adapter: Optional[str] = None

    def of(self, texts: Sequence[str]) -> np.ndarray:
        """Returns one embedding per text, (n_texts, d)."""
        return np.stack([self.vectors[text] for text in texts])

    def messages(self, texts: Sequence[str]) -> Messages:
        """Returns texts with their embeddings."""
        readable = np.array([self.readable[text] for text in texts])
        return Messages(self.of(texts), list(texts), readable)

    def mean_cost(self, texts: Sequence[str]) -> Optional[float]:
        """Returns the mean of the texts' costs; None if they are not known."""
        if self.costs is None:
            return None
        return round(float(np.mean([self.costs[text] for text in texts])), 4)


def costs_of(encoder: Encoder, texts: Sequence[str]) -> Optional[Dict[str, float]]:
    """Returns the token-layers of each text; see `EncodedTexts.costs`."""
    if encoder.plan.kind is not ThresholdKind.QUANTILE:
        return None
    kv_share = encoder.model.spec.kv_share
    return {
        text: plan_cost(encoder.plan, len(tokens), int(tokens.is_special.sum()), kv_share)
        for text, tokens in zip(texts, encoder.tokenize(texts))
    }
