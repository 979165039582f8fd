"""Prototypes: one vector per class, made from its support set; and what sets examples apart."""

from __future__ import annotations

import bisect
import itertools
import math
from typing import Optional, Tuple, Union

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

# Inverse L2 penalty of the refinement. Measured on the adaptation splits of BANKING77,
# CLINC150 and HWU64 at 5 shots: 10 to 50 are within 0.3 points of each other.
REFINEMENT_C = 20.0
# Scale of the mean prototypes from which the refinement starts: near its usual result, so that
# it ends after 20 to 50 steps.
START_SCALE = 8.0
_MAX_STEPS = 100
# Examples times classes from which a step takes so long that fewer have to do.
_VERY_MANY, _FEW_STEPS = 1e7, 30
# Examples times classes whose logits are held at a time: 80 MB.
_MOST_LOGITS = 2e7

# Examples of one prototype that are looked at, so that a decision stays under 0.1 ms.
_MAX_EXAMPLES = 100
# Between an example and its nearest neighbour, for one that has none in its class.
_DEFAULT_TIGHTNESS = 0.6
# By how much the nearest of e times as many examples is nearer by chance alone; and how many times
# the usual number make a class large. Ordinary bots are uneven too: what is asked often has more.
_ADVANTAGE = 0.15
_LARGE = 4.0


def normalize_rows(vectors: np.ndarray) -> np.ndarray:
    """Returns rows divided by their L2 norm, (n, d); a zero row stays zero."""
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(norms > 0, norms, 1.0)


def mean_prototypes(embeddings: np.ndarray, targets: np.ndarray, n_way: int) -> np.ndarray:
    """Returns the unit-length mean of each class's support set, (n_way, d).

    Source: Snell et al., "Prototypical networks for few-shot learning" (2017), equation 1,
    on the unit sphere, where cosine replaces the Euclidean distance.

    Args:
        embeddings: Support set, (n_examples, d).
        targets: Class number of each example, (n_examples,), each of 0..n_way-1 at least once.
        n_way: Number of classes.
    """
    # Adds the examples in their order, as `np.add.at` does, in a tenth of its time.
    own = csr_matrix(
        (np.ones(len(targets)), (targets, np.arange(len(targets)))), (n_way, len(targets))
    )
    return normalize_rows(own @ normalize_rows(embeddings))


def refine_prototypes(
    embeddings: Union[np.ndarray, csr_matrix],
    targets: np.ndarray,
    n_way: int,
    start: Optional[np.ndarray] = None,
    max_steps: Optional[int] = None,
) -> Tuple[np.ndarray, np.ndarray]:
    """Returns prototypes moved to where they separate the classes best, and their biases.

    Multinomial logistic regression, classes weighted equally: its weight rows are
    prototypes refined discriminatively; a query's logits are query @ prototypes.T + biases.
    The minimum is the one of scikit-learn's LogisticRegression(C=20, class_weight="balanced"),
    whose penalty counts examples: here as many as there would be if every class had the harmonic
    mean of the classes' sizes. Single precision and a start at the mean prototypes find it about
    ten times sooner, which is what makes cross-validation at every training affordable.

    Args:
        embeddings: Unit-length support set, (n_examples, d), or sparse vectors of one.
        targets: Class number of each example, (n_examples,), each at least once.
        n_way: Number of classes, at least 2.
        start: Prototypes to start from, (n_way, d); None: the means.
        max_steps: After which the search ends; None: 100, or 30 where a step takes long.

    Returns:
        (n_way, d) prototypes and (n_way,) biases, float64.
    """
    is_sparse = isinstance(embeddings, csr_matrix)
    rows = embeddings if is_sparse else np.ascontiguousarray(embeddings, dtype=np.float32)
    size = rows.shape[1]
    # Share of each example in the loss: classes count alike whatever their size.
    sizes = np.bincount(targets, minlength=n_way)
    shares = (1.0 / (n_way * sizes[targets])).astype(np.float32)
    # A large class does not make the others better known.
    penalty = float(np.mean(1.0 / sizes)) / (REFINEMENT_C * n_way)

    n_blocks = math.ceil(len(targets) * n_way / _MOST_LOGITS)
    bounds = itertools.pairwise(np.linspace(0, len(targets), n_blocks + 1).astype(int))
    blocks = [(rows[a:b], targets[a:b], shares[a:b]) for a, b in bounds]

    def loss_and_gradient(flat: np.ndarray) -> Tuple[float, np.ndarray]:
        parameters = flat.reshape(n_way, size + 1)
        weights = parameters[:, :size].astype(np.float32)
        biases = parameters[:, size].astype(np.float32)
        loss = penalty / 2 * float((parameters[:, :size] ** 2).sum())
        gradient, of_weights = np.zeros_like(parameters), np.zeros_like(weights)
        for own, own_targets, own_shares in blocks:
            own_loss, residuals = _cross_entropy(own @ weights.T + biases, own_targets, own_shares)
            loss += own_loss
            of_weights += residuals.T @ own
            gradient[:, size] += residuals.sum(axis=0)
        gradient[:, :size] = of_weights + penalty * weights
        return loss, gradient.ravel()

    if start is None:
        means = mean_prototypes(embeddings, targets, n_way)
        start = START_SCALE * (means - means.mean(axis=0))
    first = np.concatenate((start, np.zeros((n_way, 1))), axis=1)
    if max_steps is None:
        max_steps = _MAX_STEPS if len(targets) * n_way < _VERY_MANY else _FEW_STEPS
    options = {"maxiter": max_steps, "gtol": 1e-4 / n_way**0.5}
    found = minimize(loss_and_gradient, first.ravel(), jac=True, method="L-BFGS-B", options=options)
    parameters = found.x.reshape(n_way, size + 1)
    return parameters[:, :size], parameters[:, size]


def _cross_entropy(
    logits: np.ndarray, targets: np.ndarray, shares: np.ndarray
) -> Tuple[float, np.ndarray]:
    """Returns the weighted cross-entropy and its derivative by the logits, in their place."""
    index = np.arange(len(targets))
    logits -= logits.max(axis=1, keepdims=True)
    own = logits[index, targets]
    np.exp(logits, out=logits)
    sums = logits.sum(axis=1)
    loss = float(np.sum(shares * (np.log(sums) - own), dtype=np.float64))
    logits *= (shares / sums)[:, None]
    logits[index, targets] -= shares
    return loss, logits


def spread(starts: np.ndarray) -> np.ndarray:
    """Returns the rows to look at: of each prototype all, or 100 at even distances.

    Args:
        starts: First example of each prototype, and the end, (n_prototypes + 1,).
    """
    rows = [
        np.linspace(start, end - 1, min(end - start, _MAX_EXAMPLES)).astype(int)
        for start, end in itertools.pairwise(starts)
    ]
    return np.concatenate(rows)


def advantage_of(starts: np.ndarray) -> np.ndarray:
    """Returns how much nearer each prototype's nearest example is by number alone, (n_prototypes,).

    Args:
        starts: See `spread`.
    """
    sizes = np.diff(starts)
    ratios = np.maximum(sizes / (_LARGE * np.median(sizes)), 1.0)
    return (_ADVANTAGE * np.log(ratios)).astype(np.float32)


def tightness_of(examples: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Returns each example's cosine to its nearest neighbour of the same prototype, (n_examples,).

    Args:
        examples: Unit-length, sorted by prototype, (n_examples, d).
        starts: See `spread`.
    """
    tightness = np.full(len(examples), np.nan, dtype=np.float32)
    for start, end in itertools.pairwise(starts):
        if end - start > 1:
            cosines = examples[start:end] @ examples[start:end].T
            np.fill_diagonal(cosines, -np.inf)
            tightness[start:end] = cosines.max(axis=1)
    has_neighbour = ~np.isnan(tightness)
    typical = np.median(tightness[has_neighbour]) if has_neighbour.any() else _DEFAULT_TIGHTNESS
    return np.where(has_neighbour, tightness, typical).astype(np.float32)


def products(rows: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Returns the products of each query with some rows, (n_queries, n_rows) float32.

    A product of a matrix and a vector for each query, all in one call. That of two matrices takes
    less time, but rounds otherwise for another number of queries.

    Args:
        rows: The same for all, (n_rows, d) float32, or of each query its own,
            (n_queries, n_rows, d).
        queries: (n_queries, d) float32.
    """
    return (rows @ queries[:, :, None])[:, :, 0]


def unit_rows(vectors: np.ndarray) -> np.ndarray:
    """Returns rows divided by their L2 norm, each as if it were alone, (n, d) float32.

    A zero row stays zero.
    """
    rows = np.ascontiguousarray(vectors, dtype=np.float32)
    norms = np.sqrt(products(rows[:, None], rows))
    norms[norms == 0] = 1.0
    return rows / norms


def nearest_examples(
    queries: np.ndarray,
    shortlist: np.ndarray,
    examples: np.ndarray,
    starts: np.ndarray,
    most: int,
) -> Tuple[np.ndarray, np.ndarray]:
    """Returns cosine and number of the example nearest to each query, of each prototype asked for.

    Args:
        queries: Unit-length, (n_queries, d) float32.
        shortlist: Numbers of the prototypes that each query asks for, (n_queries, n_near).
        examples: Unit-length, sorted by prototype, (n_examples, d) float32.
        starts: See `spread`.
        most: Examples that a prototype has at most.

    Returns:
        Float32 and integers, both (n_queries, n_near).
    """
    # Pairs of a query and a prototype, those of a prototype together: one call for all its queries.
    pairs = shortlist.argsort(axis=None, kind="stable")
    prototypes = shortlist.ravel()[pairs].tolist()
    asking = queries[pairs // shortlist.shape[1], :, None]
    cosines = np.empty((len(prototypes), most, 1), dtype=np.float32)
    cosines.fill(-np.inf)
    first = 0
    while first < len(prototypes):
        end = bisect.bisect_right(prototypes, prototypes[first], first)
        own = examples[starts[prototypes[first]] : starts[prototypes[first] + 1]]
        np.matmul(own, asking[first:end], out=cosines[first:end, : len(own)])
        first = end
    best = cosines.argmax(axis=1)
    nearest, number = np.empty(shortlist.shape, np.float32), np.empty(shortlist.shape, int)
    nearest.ravel()[pairs] = cosines[np.arange(len(best)), best[:, 0], 0]
    number.ravel()[pairs] = best[:, 0]
    return nearest, starts[shortlist] + number
