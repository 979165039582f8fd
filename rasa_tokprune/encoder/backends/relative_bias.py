"""MPNet's relative attention: which bucket a distance between two tokens falls into."""

from __future__ import annotations

import math

import numpy as np

_MAX_DISTANCE = 128


def relative_bucket(distance: np.ndarray, n_buckets: int) -> np.ndarray:
    """Maps signed distances to rows of the bias table, as T5 and MPNet do.

    Half of the buckets are for each sign; half of a sign's buckets are exact, the others grow
    logarithmically up to a distance of 128 tokens.

    Args:
        distance: Place of the key minus place of the query, any shape.
        n_buckets: Rows of the bias table.
    """
    per_sign = n_buckets // 2
    n_exact = per_sign // 2
    size = np.abs(distance)
    # float32, as the original: at a bucket's edge the last bit decides.
    growth = np.log(np.maximum(size, 1).astype(np.float32) / np.float32(n_exact))
    growth = growth / np.float32(math.log(_MAX_DISTANCE / n_exact)) * (per_sign - n_exact)
    far = np.minimum(n_exact + growth.astype(np.int64), per_sign - 1)
    return np.where(size < n_exact, size, far) + (distance > 0) * per_sign
