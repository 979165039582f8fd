"""What was measured of each peer, put together from the rows of several questions."""

from __future__ import annotations

import dataclasses
from typing import Dict, Iterator, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from benchmarks.peers.registry import PEERS, PLANS
from benchmarks.peers.sets import SEED
from benchmarks.rows import Rows, select

# Tasks of other questions whose messages real users wrote, and which nothing was chosen on.
REAL_USERS = ("sofmattress", "powerplay11", "cfpb_long_20shot")
# Peer -> pipeline in the rows of `benchmarks.accuracy.pipelines`: measured there, not again here.
PIPELINES = {"diet": "diet", "features": "logistic_regression"}
_VIEWS = "two views"
# What is there before anything is installed, and what it is compared with.
_REFERENCE, OURS = "diet", "light"


@dataclasses.dataclass(frozen=True)
class Score:
    """How well a peer did on a set.

    Attributes:
        accuracy: Share of right answers.
        auroc: How well confidence tells messages out of scope; None if the set has none.
    """

    accuracy: float
    auroc: Optional[float]


# Peer -> set -> score.
Scores = Dict[str, Dict[str, Score]]


def scores_of(own: Rows, pipelines: Rows, fixed: Rows, drawn: Rows) -> Scores:
    """Returns how well every peer did, peers in their order.

    Args:
        own: Rows of `benchmarks.peers.accuracy`.
        pipelines: Of `benchmarks.accuracy.pipelines`.
        fixed: Of `rasa-tokprune evaluate`, with the shipped plans and adapters.
        drawn: Of `benchmarks.accuracy.unseen`; of them the first draw, as the peers have.
    """
    found: Scores = {name: {} for name in PEERS}
    for peer, name, row in _rows(own, pipelines, fixed, drawn):
        found[peer][name] = Score(row["accuracy"], row.get("oos_auroc"))
    return {name: by_set for name, by_set in found.items() if by_set}


def _rows(
    own: Rows, pipelines: Rows, fixed: Rows, drawn: Rows
) -> Iterator[Tuple[str, str, Mapping[str, float]]]:
    for peer, pipeline in PIPELINES.items():
        for task in REAL_USERS:
            for row in select(pipelines, pipeline=pipeline, task=task):
                yield peer, task, row
    for plan in PLANS:
        for task in REAL_USERS:
            for row in select(fixed, plan=plan, task=task):
                yield plan, task, row
        for row in select(drawn, plan=plan, views=_VIEWS, seed=SEED):
            yield plan, row["set"], row
    for row in own:
        yield row["peer"], row["set"], row


def sets_of(scores: Scores) -> List[str]:
    """Returns all sets: those drawn from first, real users' last."""
    names = dict.fromkeys(name for by_set in scores.values() for name in by_set)
    drawn = sorted(name for name in names if name not in REAL_USERS)
    return [*drawn, *(name for name in REAL_USERS if name in names)]


def compared_sets(scores: Scores) -> List[str]:
    """Returns the sets that DIET, which every bot has, was measured on; all sets without DIET."""
    return [name for name in sets_of(scores) if name in scores.get(_REFERENCE, scores[OURS])]


def complete(scores: Scores) -> List[str]:
    """Returns the peers that were measured on every set that is compared."""
    sets = set(compared_sets(scores))
    return [name for name, by_set in scores.items() if sets <= set(by_set)]


def mean_accuracy(by_set: Mapping[str, Score], sets: Sequence[str]) -> float:
    """Returns the mean over sets, in percent."""
    return 100 * float(np.mean([by_set[name].accuracy for name in sets]))


def mean_auroc(by_set: Mapping[str, Score], sets: Sequence[str]) -> Optional[float]:
    """Returns the mean over those of the sets that have messages out of scope."""
    values = [by_set[name].auroc for name in sets]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def n_with_strangers(by_set: Mapping[str, Score], sets: Sequence[str]) -> int:
    """Returns how many of the sets have messages out of scope."""
    return sum(by_set[name].auroc is not None for name in sets)
