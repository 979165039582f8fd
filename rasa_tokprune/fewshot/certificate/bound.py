"""How often pruning changes what a bot does, with an upper bound that can be relied on."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, Optional, Sequence

import numpy as np
from scipy.stats import beta

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.certificate.outcome import Outcome

CONFIDENCE = 0.95


@dataclasses.dataclass(frozen=True)
class Certificate:
    """What was counted for one pruning plan.

    Attributes:
        plan: Name of the plan.
        n_messages: Messages answered both ways.
        n_flips: Messages with another action: another intent, or an intent instead of a fallback,
            or the other way round.
        max_flip_rate: Largest share of changed actions that is allowed.
        n_other_intents: Messages with another top intent, whatever its confidence. It decides
            nothing. None: not counted.
    """

    plan: str
    n_messages: int
    n_flips: int
    max_flip_rate: float
    n_other_intents: Optional[int] = None

    def __post_init__(self) -> None:
        """Checks the numbers."""
        if not 0 <= self.n_flips <= self.n_messages:
            raise ConfigError(f"{self.n_flips} of {self.n_messages} messages cannot have flipped")
        if self.n_other_intents is not None and not 0 <= self.n_other_intents <= self.n_messages:
            raise ConfigError(
                f"{self.n_other_intents} of {self.n_messages} messages cannot have another intent"
            )
        check_limit(self.max_flip_rate)

    @property
    def bound(self) -> float:
        """Upper bound of the share of changed actions, see `flip_bound`."""
        return flip_bound(self.n_flips, self.n_messages)

    @property
    def holds(self) -> bool:
        """True if the bound is within what is allowed."""
        return self.bound <= self.max_flip_rate

    def to_dict(self) -> Dict[str, Any]:
        """Returns the certificate as JSON values."""
        return {**dataclasses.asdict(self), "bound": self.bound, "holds": self.holds}

    def __str__(self) -> str:
        """Returns it in one line."""
        line = (
            f"plan '{self.plan}' changes {self.n_flips} of {self.n_messages} actions, with "
            f"{CONFIDENCE:.0%} confidence at most {self.bound:.2%} "
            f"({'within' if self.holds else 'over'} the limit of {self.max_flip_rate:.2%})"
        )
        if self.n_other_intents is None:
            return line
        return f"{line}; another top intent in {self.n_other_intents}"


def check_limit(max_flip_rate: float) -> None:
    """Raises ConfigError if a largest share of changed actions is not in (0, 1)."""
    if not 0 < max_flip_rate < 1:
        raise ConfigError(f"max_flip_rate must be in (0, 1), got {max_flip_rate}")


def flip_bound(n_flips: int, n_messages: int, confidence: float = CONFIDENCE) -> float:
    """Returns the one-sided upper bound of a share, in [0, 1].

    Source: Clopper and Pearson, "The use of confidence or fiducial limits" (1934): the largest
    rate under which so few flips are still as likely as 1 - confidence. Holds for messages that
    are drawn independently from those to come.

    Args:
        n_flips: Changed actions.
        n_messages: Messages compared; without any the bound is 1.
        confidence: In (0, 1).
    """
    if n_flips >= n_messages:
        return 1.0
    return float(beta.ppf(confidence, n_flips + 1, n_messages - n_flips))


def least_messages(max_flip_rate: float, confidence: float = CONFIDENCE) -> int:
    """Returns how many messages without a flip it takes for the bound to reach a rate."""
    return int(np.ceil(np.log(1 - confidence) / np.log(1 - max_flip_rate)))


def take_plan(certificates: Sequence[Certificate]) -> Optional[Certificate]:
    """Returns the certificate of the cheapest plan that may be used; None if there is none.

    Plans are tested in their order until one fails. Unlike taking the best of several tests, such
    a fixed sequence needs no correction: that any plan is taken wrongly is no likelier than
    1 - confidence. Source: Angelopoulos et al., "Learn then test" (2021), section 2.2.1.

    Args:
        certificates: From the plan that prunes least to the one that prunes most.
    """
    taken = None
    for certificate in certificates:
        if not certificate.holds:
            break
        taken = certificate
    return taken


def count_flips(
    plan: str,
    reference: Sequence[Optional[Outcome]],
    served: Sequence[Optional[Outcome]],
    max_flip_rate: float,
) -> Certificate:
    """Compares what two encoders make of the same messages.

    Args:
        plan: Name of the plan behind `served`.
        reference: Of the un-pruned encoder; a message that is None in either was not asked.
        served: Of the pruned one.
        max_flip_rate: Largest share of changed actions that is allowed.

    Raises:
        ConfigError: If the two are not of the same number of messages.
    """
    if len(reference) != len(served):
        raise ConfigError(
            f"{len(reference)} answers cannot be compared with {len(served)} of plan '{plan}'"
        )
    asked = [(a, b) for a, b in zip(reference, served) if a is not None and b is not None]
    n_flips = sum(a.action != b.action for a, b in asked)
    n_other_intents = sum(a.intent != b.intent for a, b in asked)
    return Certificate(plan, len(asked), n_flips, max_flip_rate, n_other_intents)
