"""How often pruning changes answers, with an upper bound that can be relied on."""

from __future__ import annotations

import dataclasses
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple

import numpy as np
from scipy.stats import beta

from rasa_tokprune.errors import ConfigError
from rasa_tokprune.fewshot.messages import Messages
from rasa_tokprune.fewshot.prototypes import normalize_rows
from rasa_tokprune.fewshot.support import SupportSet
from rasa_tokprune.fewshot.views import Views, fit_views

CONFIDENCE = 0.95
_N_FOLDS = 5


@dataclasses.dataclass(frozen=True)
class Certificate:
    """What was counted for one pruning plan.

    Attributes:
        plan: Name of the plan.
        n_messages: Messages answered both ways.
        n_flips: Messages with another answer.
        max_flip_rate: Largest share of changed answers that is allowed.
    """

    plan: str
    n_messages: int
    n_flips: int
    max_flip_rate: float

    def __post_init__(self) -> None:
        """Checks the numbers."""
        if not 0 <= self.n_flips <= self.n_messages:
            raise ConfigError(f"{self.n_flips} of {self.n_messages} messages cannot have flipped")
        check_limit(self.max_flip_rate)

    @property
    def bound(self) -> float:
        """Upper bound of the share of changed answers, see `flip_bound`."""
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
        return (
            f"plan '{self.plan}' changes {self.n_flips} of {self.n_messages} answers, with "
            f"{CONFIDENCE:.0%} confidence at most {self.bound:.2%} "
            f"({'within' if self.holds else 'over'} the limit of {self.max_flip_rate:.2%})"
        )


def check_limit(max_flip_rate: float) -> None:
    """Raises ConfigError if a largest share of changed answers is not in (0, 1)."""
    if not 0 < max_flip_rate < 1:
        raise ConfigError(f"max_flip_rate must be in (0, 1), got {max_flip_rate}")


def flip_bound(n_flips: int, n_messages: int, confidence: float = CONFIDENCE) -> float:
    """Returns the one-sided upper bound of a share, in [0, 1].

    Source: Clopper and Pearson, "The use of confidence or fiducial limits" (1934): the largest
    rate under which so few flips are still as likely as 1 - confidence. Holds for messages that
    are drawn independently from those to come.

    Args:
        n_flips: Changed answers.
        n_messages: Answers compared; without any the bound is 1.
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


def out_of_fold_answers(
    messages: Messages,
    labels: Sequence[str],
    keys: Optional[Sequence[str]] = None,
    names: Optional[Mapping[str, np.ndarray]] = None,
    lexical_weight: Optional[float] = None,
) -> List[Optional[str]]:
    """Returns the class of each example by prototypes that were fitted without it.

    Folds depend on the labels alone, so that two encoders' answers can be compared.

    Args:
        messages: Support set.
        labels: Class of each example.
        keys: Finer name of each; see `PrototypeClassifier.fit`.
        names: Embedding of a key's readable name.
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.

    Returns:
        (n_examples,); None for the only example of a class, which cannot be held out.
    """
    folds = _folds(labels)
    found: List[Optional[str]] = [None] * len(labels)
    for fold in range(_N_FOLDS):
        rows = np.flatnonzero(folds == fold)
        if not len(rows):
            continue
        rest = np.flatnonzero(folds != fold)
        views, classes = fit_head(
            messages.take(rest),
            [labels[row] for row in rest],
            None if keys is None else [keys[row] for row in rest],
            names,
            lexical_weight,
        )
        for row, answer in zip(rows, answers_of(views, classes, messages.take(rows))):
            found[row] = answer
    return found


def fit_head(
    messages: Messages,
    labels: Sequence[str],
    keys: Optional[Sequence[str]] = None,
    names: Optional[Mapping[str, np.ndarray]] = None,
    lexical_weight: Optional[float] = None,
) -> Tuple[Views, Tuple[str, ...]]:
    """Returns both views of a support set, without calibration, and its classes.

    Args:
        messages: Support set.
        labels: Class of each example.
        keys: Finer name of each; see `PrototypeClassifier.fit`.
        names: Embedding of a key's readable name; those of other keys are left out.
        lexical_weight: Weight of the lexical view, 0 goes without it; None: the default.
    """
    present = set(labels if keys is None else keys)
    known = {key: vector for key, vector in (names or {}).items() if key in present}
    support = SupportSet.of(
        messages.embeddings, labels, keys, known, messages.texts, messages.readable
    )
    return fit_views(support, lexical_weight), support.classes


def answers_of(views: Views, classes: Sequence[str], messages: Messages) -> List[Optional[str]]:
    """Returns the class of each message; None of one without content."""
    unit = normalize_rows(messages.embeddings).astype(np.float32)
    found: List[Optional[str]] = []
    for row, query in enumerate(unit):
        scores = views.score(query, messages.text(row), messages.readable_share(row))
        found.append(classes[int(scores.class_scores.argmax())] if query.any() else None)
    return found


def count_flips(
    plan: str,
    reference: Sequence[Optional[str]],
    served: Sequence[Optional[str]],
    max_flip_rate: float,
) -> Certificate:
    """Compares the answers of two encoders message by message.

    Args:
        plan: Name of the plan behind `served`.
        reference: Answers of the un-pruned encoder; None was not asked.
        served: Answers of the pruned one.
        max_flip_rate: Largest share of changed answers that is allowed.

    Raises:
        ConfigError: If the two are not answers to the same messages.
    """
    if len(reference) != len(served):
        raise ConfigError(
            f"{len(reference)} answers cannot be compared with {len(served)} of plan '{plan}'"
        )
    asked = [(a, b) for a, b in zip(reference, served) if a is not None and b is not None]
    n_flips = sum(a != b for a, b in asked)
    return Certificate(plan, len(asked), n_flips, max_flip_rate)


def _folds(labels: Sequence[str]) -> np.ndarray:
    array = np.array(labels)
    folds = np.full(len(array), -1)
    for label in np.unique(array):
        members = np.flatnonzero(array == label)
        if len(members) > 1:
            folds[members] = np.arange(len(members)) % _N_FOLDS
    return folds
