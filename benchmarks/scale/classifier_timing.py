"""Times fitting and ranking of the prototypes on made-up embeddings, in a process of its own.

python -m benchmarks.scale.classifier_timing --examples 1000 --intents 77 ...
It prints one JSON object: seconds of each fit and of each rank.
"""

from __future__ import annotations

import json
import time
from typing import List, Optional, Sequence, Tuple

import numpy as np

from benchmarks.command import module_parser
from benchmarks.machine import pin
from rasa_tokprune.fewshot import PrototypeClassifier

EMBEDDING_SIZE = 384
# Spread of an intent's examples around its centre, per dimension; about 0.5 cosine to it.
_SPREAD = 1.7
_N_QUERIES = 200
# A fit that takes this long in all is not repeated.
_MAX_FIT_S = 20.0
_SEED = 0


def clustered(
    n_examples: int, n_way: int, embedding_size: int = EMBEDDING_SIZE
) -> Tuple[np.ndarray, List[str]]:
    """Makes unit vectors around one random centre for each class.

    Returns:
        Embeddings, (n_examples, embedding_size) float32, and their labels.
    """
    rng = np.random.default_rng([_SEED, n_examples, n_way])
    centres = rng.standard_normal((n_way, embedding_size))
    classes = np.arange(n_examples) % n_way
    noise = _SPREAD * rng.standard_normal((n_examples, embedding_size))
    embeddings = centres[classes] + noise
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    return embeddings.astype(np.float32), [f"intent {number}" for number in classes]


def time_classifier(
    n_examples: int, n_way: int, repetitions: int
) -> Tuple[List[float], List[float]]:
    """Returns the seconds of each fit and of each rank of one query."""
    embeddings, labels = clustered(n_examples, n_way)
    fits: List[float] = []
    while len(fits) < repetitions and sum(fits) < _MAX_FIT_S:
        start = time.perf_counter()
        classifier = PrototypeClassifier.fit(embeddings, labels)
        fits.append(time.perf_counter() - start)
    queries = embeddings[np.arange(_N_QUERIES) % n_examples]
    return fits, [_rank_seconds(classifier, query) for query in queries]


def _rank_seconds(classifier: PrototypeClassifier, query: np.ndarray) -> float:
    classifier.rank(query)
    start = time.perf_counter()
    classifier.rank(query)
    return time.perf_counter() - start


def main(arguments: Optional[Sequence[str]] = None) -> None:
    """Parses the command line and prints the measurement."""
    parser = module_parser(__file__, __doc__)
    for option in ("--examples", "--intents", "--repetitions", "--threads"):
        parser.add_argument(option, type=int, required=True)
    parsed = parser.parse_args(arguments)
    pin(parsed.threads)
    fits, ranks = time_classifier(parsed.examples, parsed.intents, parsed.repetitions)
    print(json.dumps({"fit": fits, "rank": ranks}))


if __name__ == "__main__":
    main()
