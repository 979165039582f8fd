"""A temperature for how classes share what the best one's confidence leaves."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp

# Best temperatures on the adaptation splits of BANKING77, CLINC150 and HWU64 (20 to 150
# classes, 1 to 10 shots) lie between 0.2 and 0.6 with a median near 0.4.
PRIOR_TEMPERATURE = 0.4
_PRIOR_LOG_STD = 0.5
_LOG_BOUNDS = (np.log(0.02), np.log(5.0))


def fit_temperature(logits: np.ndarray, targets: np.ndarray) -> float:
    """Returns the temperature that makes held-out logits most probable.

    Source: Guo et al., "On calibration of modern neural networks" (2017), section 4.2.
    Deviation: a log-normal prior (maximum a posteriori), so that a handful of examples that
    are all right does not make every confidence 1.0.

    Args:
        logits: Of examples that the prototypes were not fitted on, (n_examples, n_way).
        targets: Their class numbers, (n_examples,).

    Returns:
        A positive temperature; PRIOR_TEMPERATURE for no examples.
    """

    def negative_log_posterior(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        log_likelihood = scaled[np.arange(len(targets)), targets] - logsumexp(scaled, axis=1)
        distance = (log_temperature - np.log(PRIOR_TEMPERATURE)) / _PRIOR_LOG_STD
        return float(distance**2 / 2 - log_likelihood.sum())

    if len(targets) == 0:
        return PRIOR_TEMPERATURE
    best = minimize_scalar(negative_log_posterior, bounds=_LOG_BOUNDS, method="bounded")
    return float(np.exp(best.x))
